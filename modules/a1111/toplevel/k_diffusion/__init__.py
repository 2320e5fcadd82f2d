"""Classes of the program under the names of the package `k_diffusion`."""
from k_diffusion import external, sampling, utils
