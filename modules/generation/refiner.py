"""The refiner: another checkpoint that takes over in the middle of a pass."""
from __future__ import annotations

from modules import runtime
from modules.extra_networks import extra_network_registry
from modules.generation.base import StableDiffusionProcessing
from modules.generation.conditions import setup_conditions
from modules.generation.describe import named_with_hash
from modules.generation.effects import apply_effects
from modules.sampling.guidance import ModelSwitch

NEVER = 1.0


class Refiner:
    """Decides before each step whether the refiner takes over; called as `switch(step, steps)` by the sampling hooks."""

    def __init__(self, p: StableDiffusionProcessing, switch_at: float):
        self._p = p
        self._switch_at = switch_at
        self._is_done = False

    @classmethod
    def of(cls, p: StableDiffusionProcessing) -> Refiner | None:
        """The refiner of the current pass of `p`, None where it has none."""
        switch_at = p.refiner_switch_at
        if not p.refiner_checkpoint or p.refiner_checkpoint == "None" or switch_at is None or switch_at >= NEVER:
            return None
        if getattr(p, "enable_hr", False):
            passes = runtime.current().settings.hires_fix_refiner_pass
            if passes != "both passes" and passes != ("second pass" if p.is_hr_pass else "first pass"):
                return None
        return cls(p, switch_at)

    def __call__(self, step: int, steps: int) -> ModelSwitch | None:
        """The other model with its own conditions, once `step` of `steps` has reached the share where it switches."""
        if self._is_done or step / steps < self._switch_at:
            return None
        self._is_done = True
        rt = runtime.current()
        p = self._p
        info = rt.chosen_checkpoint(p.refiner_checkpoint)
        p.sd_model = rt.models.ensure(info)
        p.extra_generation_params["Refiner"] = named_with_hash(p.sd_model.checkpoint)
        p.extra_generation_params["Refiner switch at"] = self._switch_at
        for network in extra_network_registry.values():
            network.apply_to(p)
        apply_effects(p)
        setup_conditions(p, *p.planned_steps)
        return ModelSwitch(model=p.sd_model, conditions=p.conditions)
