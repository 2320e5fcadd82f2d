"""Where parts of the model lie, under the names of A1111's `lowvram`. Parts are moved by the program itself, so nothing is done here."""
cpu = module_in_gpu = None


def send_everything_to_cpu() -> None:
    """Nothing: the program places the parts of a model."""


def setup_for_low_vram(sd_model, use_medvram: bool) -> None:
    """Nothing: the program places the parts of a model."""


def is_enabled(sd_model) -> bool:
    """Whether parts are moved between calls."""
    return False


def is_needed(sd_model) -> bool:
    """Whether parts have to be moved between calls."""
    return False


def apply(sd_model) -> None:
    """Nothing: the program places the parts of a model."""
