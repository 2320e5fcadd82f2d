"""Small functions under the names of `k_diffusion.utils`."""


def append_dims(x, target_dims: int):
    """x with further dimensions of 1 behind."""
    return x[(...,) + (None,) * (target_dims - x.ndim)]
