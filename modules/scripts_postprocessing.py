"""Steps of the Extras tab: the base class, what a step works on, and the runner that calls them in order."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from modules import errors, scripts
from modules.errors import UserError
from modules.extensions.discovery import origin
from modules.extensions.offstage import default_value, throw_away_page
from modules.scripts import ScriptClassData

# Steps that are for other programs to call, not for the tab.
NOT_IN_EXTRAS = ("Simple Upscale",)


@dataclass
class PostprocessedImageSharedInfo:
    """What steps tell each other about a picture before the first one works: the size in px that it will get, None if unknown."""

    target_width: int | None = None
    target_height: int | None = None


class PostprocessedImage:
    """A picture on its way through the steps; a step replaces `image`, and adds what it did to `info`.

    info: infotext keys and values. extra_images: further results, pictures or objects of this class. nametags: endings of the file
    name that tell results apart. caption: text for a .txt file beside the picture. disable_processing: later steps leave it alone.
    notes: sentences for the person who started the job.
    """

    def __init__(self, image: Image.Image, infotext: str = "") -> None:
        self.image = image
        self.infotext = infotext
        self.info: dict[str, Any] = {}
        self.shared = PostprocessedImageSharedInfo()
        self.extra_images: list[Any] = []
        self.nametags: list[str] = []
        self.disable_processing = False
        self.caption: str | None = None
        self.notes: list[str] = []

    def get_suffix(self, used_suffixes: dict[str, int] | None = None) -> str:
        """The end of the file name: the nametags, with a number where another result of the same picture has the same."""
        used = {} if used_suffixes is None else used_suffixes
        suffix = "-".join(self.nametags)
        count = used[suffix] = used.get(suffix, 0) + 1
        text = f"{suffix}-{count}" if count > 1 and suffix else suffix or (str(count) if count > 1 else "")
        return f"-{text}" if text else ""

    def create_copy(self, new_image: Image.Image, *, nametags: Sequence[str] | None = None,
                    disable_processing: bool = False) -> PostprocessedImage:
        """A further result made from this one."""
        copy = PostprocessedImage(new_image, self.infotext)
        copy.info, copy.shared, copy.caption = dict(self.info), self.shared, self.caption
        copy.nametags = [*self.nametags, *(nametags or ())]
        copy.disable_processing = disable_processing
        return copy


class ScriptPostprocessing:
    """Base class of steps. `name` and `order` say where a step stands; `controls` are those that `ui` built, by name."""

    name: str | None = None
    order = 1000
    filename: str | None = None
    controls: dict[str, Any] | None = None
    args_from: int | None = None
    args_to: int | None = None
    group: Any = None

    def ui(self) -> dict[str, Any]:
        """Build the controls; their values become keyword arguments of `process` under the names given here."""
        return {}

    def process(self, pp: PostprocessedImage, **args: Any) -> None:
        """Work on a picture. A UserError leaves this picture out of the results and becomes a note."""

    def process_firstpass(self, pp: PostprocessedImage, **args: Any) -> None:
        """Before any step works: fill in `pp.shared`."""

    def image_changed(self) -> None:
        """Before the steps work on another picture."""


@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """What settings say about the steps: names in the order that a person wants, and names that are switched off."""

    order: Sequence[str] = ()
    disabled: Sequence[str] = ()


@dataclass(kw_only=True)
class ScriptPostprocessingRunner:
    """The steps of the Extras tab. `notice` is told of steps that had to be left out."""

    notice: Callable[[str], None] = errors.report
    scripts: list[ScriptPostprocessing] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    has_controls: bool = False
    _building: Any = field(default_factory=threading.Lock)

    def initialize_scripts(self) -> None:
        """Make one instance of every known step."""
        self.scripts = [step for data in scripts.postprocessing_scripts_data if (step := self._instance(data)) is not None]
        self.prepare_ui()

    def _instance(self, data: ScriptClassData) -> ScriptPostprocessing | None:
        try:
            step: ScriptPostprocessing = data.script_class()
            step.filename = data.path
            if not step.name:
                raise TypeError("it has no name")
            return None if step.name in NOT_IN_EXTRAS else step
        except Exception as error:  # one step that cannot be made must not take the tab away
            errors.report(f"{data.path}: {data.script_class.__name__} cannot be used", error)
            self.notice(f"A step of Extras in {origin(data.path)} cannot be used: {error}.")
            return None

    def in_order(self, options: StepOptions, *, without_disabled: bool = True) -> list[ScriptPostprocessing]:
        """The steps: first those that the settings name, then the others by their own order."""
        place = {name: number for number, name in enumerate(options.order)}
        steps = [step for step in self.scripts if not (without_disabled and step.name in options.disabled)]
        return sorted(steps, key=lambda step: (place.get(step.name or "", len(place)), step.order, step.name or ""))

    def names(self) -> list[str]:
        """The names of all steps, in their own order."""
        return [step.name or "" for step in self.in_order(StepOptions())]

    def prepare_ui(self) -> None:
        """Forget the controls; somebody is about to build them anew."""
        self.inputs, self.has_controls = [], False
        for step in self.scripts:
            step.controls, step.args_from, step.args_to = None, None, None

    def add_controls(self, step: ScriptPostprocessing) -> None:
        """Build the controls of one step in the current page. A step that fails is reported and left out of every run."""
        try:
            controls = dict(step.ui() or {})
        except Exception as error:  # an extension's fault must not take the tab away
            errors.report(f"{step.filename}: the controls of {step.name} cannot be built", error)
            self.notice(f"{step.name} ({origin(step.filename or '')}) is left out of Extras, since its controls cannot be built: {error}.")
            self.scripts = [other for other in self.scripts if other is not step]
            return
        step.controls, step.args_from = controls, len(self.inputs)
        self.inputs += controls.values()
        step.args_to = len(self.inputs)

    def ensure_controls(self) -> None:
        """Build all controls in a throw-away page if no page did: values that a request leaves open come from them."""
        with self._building:
            if self.has_controls:
                return
            self.prepare_ui()
            with throw_away_page():
                for step in list(self.scripts):
                    self.add_controls(step)
            self.has_controls = True

    def values(self, inputs: Sequence[Any]) -> dict[str, dict[str, Any]]:
        """What a request keeps of the values of `self.inputs`: values by their names, by the name of the step."""
        return {step.name or "": dict(zip(step.controls, inputs[step.args_from:step.args_to], strict=True))
                for step in self.scripts if step.controls is not None}

    def completed(self, given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """The values of every step: those given, and for the others what the control begins with; steps not named are off."""
        self.ensure_controls()
        values = {}
        for step in self.scripts:
            wanted = given.get(step.name or "")
            if wanted is not None:
                values[step.name or ""] = {name: wanted[name] if name in wanted else default_value(control)
                                           for name, control in (step.controls or {}).items()}
        return values

    def run(self, pp: PostprocessedImage, values: Mapping[str, Mapping[str, Any]], options: StepOptions,
            before_step: Callable[[str], None] = lambda name: None) -> list[PostprocessedImage]:
        """Lead one picture through the steps; all pictures that came of it, the first one being `pp` itself.

        `before_step` is told of each step and may raise. Raises UserError, also with the sentence about a step that failed.
        """
        steps = [step for step in self.in_order(options) if step.name in values]
        for step in steps:
            self._call(step, "process_firstpass", pp, values)
        results = [pp]
        for step in steps:
            further: list[PostprocessedImage] = []
            for one in results:
                further.append(one)
                if one.disable_processing:
                    continue
                before_step(step.name or "")
                one.extra_images = []
                self._call(step, "process", one, values)
                further += _as_results(one, one.extra_images)
            results = further
        return results

    def _call(self, step: ScriptPostprocessing, method: str, pp: PostprocessedImage, values: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            getattr(step, method)(pp, **values[step.name or ""])
        except (UserError, MemoryError):
            raise
        except Exception as error:  # an extension's fault ends this picture, with its name, and not the batch
            if errors_of_memory(error):
                raise
            errors.report(f"{step.filename}: {step.name} failed", error)
            reason = next((line for line in str(error).splitlines() if line.strip()), "") or type(error).__name__
            raise UserError(f"The step {step.name} ({origin(step.filename or '')}) failed: {reason[:200]}.") from error

    def image_changed(self) -> None:
        """Tell all steps that another picture comes."""
        for step in self.scripts:
            step.image_changed()


def errors_of_memory(error: Exception) -> bool:
    """Whether memory ran out, which is no fault of the step."""
    from modules.jobs.outcome import is_out_of_memory

    return is_out_of_memory(error)


def _as_results(pp: PostprocessedImage, extra: Iterable[Any]) -> list[PostprocessedImage]:
    return [one if isinstance(one, PostprocessedImage) else pp.create_copy(one) for one in extra]
