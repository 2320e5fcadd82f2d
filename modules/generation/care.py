"""The care with which a run's networks are carried out: what settings ask for, and what is said when memory or numbers ran out."""
from __future__ import annotations

from modules import runtime
from modules.checkpoints.execution import Care
from modules.generation.base import StableDiffusionProcessing
from modules.jobs.state import JobState

# What saved memory on the way, and may have changed the last digits of the picture.
SAVINGS = "Memory saving"


def care_of(p: StableDiffusionProcessing) -> Care:
    """Notes go under the pictures of `p`, and into their infotext what may have changed them; each tile of the VAE can be stopped."""
    rt = runtime.current()
    opts = rt.settings

    def note(text: str) -> None:
        p.comment(text)
        if care.savings:
            p.extra_generation_params[SAVINGS] = care.savings

    care = Care(note=note, on_tile=TileWatch(rt.state), vae_tiling=opts.vae_tiling, tile_px=opts.vae_tile_px,
                widens_vae=opts.auto_vae_precision)
    return care


class TileWatch:
    """Before each tile: counts it, and stops where Stop or Skip was pressed since the first one.

    A press from before asked for less to be made, not for what is there to be thrown away: its picture is finished.
    """

    def __init__(self, state: JobState):
        self.state, self.is_late = state, False

    def __call__(self, done: int, count: int) -> None:
        if not done:
            self.is_late = self.state.interrupted or self.state.skipped
        self.state.textinfo = f"VAE: tile {done + 1} of {count}" if done + 1 < count else None
        if not self.is_late:
            self.state.check()
