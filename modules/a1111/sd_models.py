"""Checkpoints under the names of A1111's `sd_models`: the list, and the one that is meant by a text."""
from modules import runtime
from modules._live import live
from modules.errors import UserError


def checkpoint_tiles(use_short: bool = False) -> list[str]:
    """The titles of all checkpoints, or their short names."""
    return [info.model_name if use_short else info.title for info in runtime.current().checkpoints]


def get_closet_checkpoint_match(search_string: str):
    """The checkpoint with this title, name or beginning of its hash; None when there is none."""
    try:
        return runtime.current().checkpoints.find(search_string)
    except UserError:
        return None


def list_models() -> None:
    """Look at the folders again."""
    runtime.current().checkpoints.refresh()


live(__name__, computed={
    "checkpoints_list": lambda: {info.title: info for info in runtime.current().checkpoints},
    "model_path": lambda: str(runtime.current().folders.checkpoints),
})
