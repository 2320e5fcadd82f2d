"""Classes of the program under the names of the package `ldm.models.diffusion`."""
