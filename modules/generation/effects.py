"""What a run changes in networks beside their weights: edges that fit together, merged tokens, what the output is taken for."""
from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any

from modules import runtime
from modules.generation.base import StableDiffusionProcessing
from modules.nn.families import Parameterization
from modules.nn.tiling import tiled
from modules.nn.token_merging import set_merging_ratio

# The choices of the setting prediction_type beside "Automatic".
PREDICTIONS: dict[str, Parameterization] = {"Epsilon": "eps", "V": "v"}


class Effects:
    """The scope of one batch: every model that takes part is changed by `apply`, and is as before at the end, whatever happens inside."""

    def __init__(self, *, tiling: bool, merging_ratio: float, merging_ratio_hr: float, prediction: Parameterization | None = None):
        self.tiling, self.prediction = tiling, prediction
        self.merging_ratio, self.merging_ratio_hr = merging_ratio, merging_ratio_hr
        self._models: list[Any] = []
        self._stack = ExitStack()

    @classmethod
    def of(cls, p: StableDiffusionProcessing) -> Effects:
        """What the request and the settings ask for."""
        return cls(tiling=is_tiling(p), merging_ratio=merging_ratio(p), merging_ratio_hr=merging_ratio(p, for_hr=True),
                   prediction=PREDICTIONS.get(runtime.current().settings.prediction_type))

    def __enter__(self) -> Effects:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._models.clear()
        self._stack.close()

    def apply(self, model: Any, *, for_hr: bool = False) -> None:
        """Bring a model into the form that the pass to come needs."""
        if not any(model is known for known in self._models):
            self._models.append(model)
            if self.tiling:
                self._stack.enter_context(tiled(model.model.diffusion_model, model.first_stage_model))
            if self.prediction:
                self._stack.callback(setattr, model, "parameterization", model.parameterization)
                model.parameterization = self.prediction
            self._stack.callback(set_merging_ratio, model.model.diffusion_model, 0.0)
        set_merging_ratio(model.model.diffusion_model, self.merging_ratio_hr if for_hr else self.merging_ratio)


def is_tiling(p: StableDiffusionProcessing) -> bool:
    """Whether the edges of the pictures are to fit together: what the request says, else the setting."""
    return bool(runtime.current().settings.tiling if p.tiling is None else p.tiling)


def merging_ratio(p: StableDiffusionProcessing, *, for_hr: bool = False) -> float:
    """The share of tokens that are merged; the second pass and img2img may have their own."""
    opts = runtime.current().settings
    own = opts.token_merging_ratio_hr if for_hr else p.is_img2img and opts.token_merging_ratio_img2img
    return float(own or opts.token_merging_ratio or 0)


def apply_effects(p: StableDiffusionProcessing) -> None:
    """Bring the model that `p` uses now into the form of its current pass."""
    if p.effects is not None:
        p.effects.apply(p.sd_model, for_hr=p.is_hr_pass)
