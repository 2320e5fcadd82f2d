"""Scripts: the base class, the table of hooks, and the runner that calls them for one tab."""
from __future__ import annotations

import importlib
import inspect
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

from modules import errors
from modules import script_callbacks as script_callbacks  # a name that extensions expect here
from modules.extensions import timing
from modules.extensions.discovery import origin
from modules.extensions.hook_arguments import MaskBlendArgs as MaskBlendArgs
from modules.extensions.hook_arguments import OnComponent as OnComponent
from modules.extensions.hook_arguments import PostprocessBatchListArgs as PostprocessBatchListArgs
from modules.extensions.hook_arguments import PostprocessImageArgs as PostprocessImageArgs
from modules.extensions.hook_arguments import PostProcessMaskOverlayArgs as PostProcessMaskOverlayArgs
from modules.extensions.hook_arguments import PostSampleArgs as PostSampleArgs
from modules.extensions.offstage import default_value, old_ways, throw_away_page
from modules.folders import PROGRAM


class _AlwaysVisible:
    """What `Script.show` returns for a script that takes part in every run."""

    def __repr__(self) -> str:
        return "AlwaysVisible"


AlwaysVisible = _AlwaysVisible()


class ScriptClassData(NamedTuple):
    """A script class and where it came from."""

    script_class: type
    path: str
    basedir: str
    module: Any


# Every method that the runner calls on scripts during a run, in the order of the run.
HOOKS: tuple[str, ...] = (
    "setup", "before_process", "process", "before_process_batch", "after_extra_networks_activate", "process_batch",
    "process_before_every_sampling", "before_hr", "on_mask_blend", "post_sample", "postprocess_batch", "postprocess_batch_list",
    "postprocess_image", "postprocess_maskoverlay", "postprocess_image_after_composite", "postprocess")


class Script:
    """Base class of scripts. Every method may be left out; `*args` are the values of the script's own controls."""

    name: str | None = None
    filename: str | None = None
    section: str | None = None
    args_from: int | None = None
    args_to: int | None = None
    alwayson = False
    is_txt2img = False
    is_img2img = False
    tabname: str | None = None
    group: Any = None
    create_group = True
    infotext_fields: list | None = None
    paste_field_names: list[str] | None = None
    setup_for_ui_only = False
    is_done_when_replayed = False  # its work stands in the stored prompts already; it is left out when a picture is made again
    controls: list | None = None
    api_info: Any = None
    load_script_before: str | None = None
    on_before_component_elem_id: list[tuple[str, Callable]] | None = None
    on_after_component_elem_id: list[tuple[str, Callable]] | None = None

    def title(self) -> str:
        """The name in the Script list; in lower case it is the API name."""
        raise TypeError(f"{type(self).__name__} has no title")

    def show(self, is_img2img: bool) -> Any:
        """False: not in this tab. True: may be selected. AlwaysVisible: takes part in every run."""
        return True

    def ui(self, is_img2img: bool) -> list | None:
        """Build the controls; returns those whose values become `*args`."""

    def run(self, p: Any, *args: Any) -> Any:
        """The whole run of a selected script; returns a Processed, or None to have the host make the pictures."""

    def planned(self, p: Any, *args: Any) -> str | None:
        """What `run` is going to make of `p`, a line for each sentence, shown under the controls. Makes nothing; raises UserError."""

    def setup(self, p: Any, *args: Any) -> None:
        """Before everything, while `p` is made."""

    def before_process(self, p: Any, *args: Any) -> None:
        """Before override settings apply."""

    def process(self, p: Any, *args: Any) -> None:
        """Once, when the lists of prompts and seeds stand."""

    def before_process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        """Before the extra networks of a batch are taken out of its prompts."""

    def after_extra_networks_activate(self, p: Any, *args: Any, **kwargs: Any) -> None:
        """After the networks of a batch were activated."""

    def process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        """Before the prompts of a batch are encoded."""

    def process_before_every_sampling(self, p: Any, *args: Any, **kwargs: Any) -> None:
        """Before each sampling; keywords x, noise, c, uc."""

    def before_hr(self, p: Any, *args: Any) -> None:
        """Before the second pass."""

    def on_mask_blend(self, p: Any, mba: MaskBlendArgs, *args: Any) -> None:
        """At each blend of inpainting."""

    def post_sample(self, p: Any, ps: PostSampleArgs, *args: Any) -> None:
        """When the latents of a batch are ready."""

    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        """When a batch is decoded; keyword images [B, 3, H, W] in 0..1."""

    def postprocess_batch_list(self, p: Any, pp: PostprocessBatchListArgs, *args: Any, **kwargs: Any) -> None:
        """The same as a list whose length may change."""

    def postprocess_image(self, p: Any, pp: PostprocessImageArgs, *args: Any) -> None:
        """Each picture, before overlay and saving."""

    def postprocess_maskoverlay(self, p: Any, ppmo: PostProcessMaskOverlayArgs, *args: Any) -> None:
        """The mask and overlay of each inpainted picture."""

    def postprocess_image_after_composite(self, p: Any, pp: PostprocessImageArgs, *args: Any) -> None:
        """Each picture after the overlay, before saving."""

    def postprocess(self, p: Any, processed: Any, *args: Any) -> None:
        """The end of the run."""

    def before_component(self, component: Any, **kwargs: Any) -> None:
        """Before each component of the two main tabs."""

    def after_component(self, component: Any, **kwargs: Any) -> None:
        """After each component of the two main tabs."""

    def on_before_component(self, callback: Callable[[OnComponent], None], *, elem_id: str) -> None:
        """Have `callback` called before the component with this element id."""
        self.on_before_component_elem_id = [*(self.on_before_component_elem_id or []), (elem_id, callback)]

    def on_after_component(self, callback: Callable[[OnComponent], None], *, elem_id: str) -> None:
        """Have `callback` called after the component with this element id."""
        self.on_after_component_elem_id = [*(self.on_after_component_elem_id or []), (elem_id, callback)]

    def inspected(self, text: str) -> tuple[str, list[str]]:
        """For the prompt inspector: a text that the script may make of this prompt, and sentences about what it found in it."""
        return text, []

    def wildcard_names(self) -> list[str]:
        """Names that a prompt may use as __name__ where this script runs; the page completes them."""
        return []

    def describe(self) -> str:
        """A longer text about the script; unused."""
        return ""

    def elem_id(self, item_id: str) -> str:
        """The element id of a control: script_, the tab where the script is in both, the title, the item."""
        both = self.show(True) == self.show(False)
        tab = ("img2img_" if self.is_img2img else "txt2img_") if both else ""
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{tab}{title}_{item_id}"


_basedir: list[str] = [str(PROGRAM)]


def basedir() -> str:
    """The folder of the extension that is being loaded; the program's folder otherwise."""
    return _basedir[0]


def set_basedir(folder: str) -> None:
    """For the loader: say whose files are being loaded."""
    _basedir[0] = folder


scripts_data: list[ScriptClassData] = []
postprocessing_scripts_data: list[ScriptClassData] = []


_building = threading.Lock()


class ScriptRunner:
    """The scripts of one tab. `scripts` of a processing is a runner, often a copy with a shortened `alwayson_scripts`.

    `by_key` names each script for stored requests: by its title, with a number behind it where two share one.
    `notice` is told of scripts that had to be left out.
    """

    def __init__(self, notice: Callable[[str], None] = errors.report) -> None:
        self.scripts: list[Script] = []
        self.selectable_scripts: list[Script] = []
        self.alwayson_scripts: list[Script] = []
        self.by_key: dict[str, Script] = {}
        self.infotext_fields: list = []
        self.paste_field_names: list[str] = []
        self.inputs: list[Any] = [None]
        self.has_controls = False
        self.notice = notice

    @property
    def titles(self) -> list[str]:
        """What the Script list offers, without "None"."""
        return [script.title() for script in self.selectable_scripts]

    @property
    def title_map(self) -> dict[str, Script]:
        """Title in lower case -> script."""
        return {script.title().lower(): script for script in self.scripts}

    def initialize_scripts(self, is_img2img: bool) -> None:
        """Make one instance of every known script that shows in this tab."""
        self.scripts, self.selectable_scripts, self.alwayson_scripts, self.by_key = [], [], [], {}
        for data in scripts_data:
            script = self._instance(data, is_img2img)
            if script is None:
                continue
            self.scripts.append(script)
            (self.alwayson_scripts if script.alwayson else self.selectable_scripts).append(script)
            self.by_key[_free_key(script.title(), self.by_key)] = script
        self.prepare_ui()

    def _instance(self, data: ScriptClassData, is_img2img: bool) -> Script | None:
        try:
            with old_ways(data.path):
                script = data.script_class()
            script.filename, script.is_txt2img, script.is_img2img = data.path, not is_img2img, is_img2img
            script.tabname = "img2img" if is_img2img else "txt2img"
            with old_ways(data.path):
                visibility = script.show(is_img2img)
            if visibility is not AlwaysVisible and not visibility:
                return None
            script.alwayson = visibility is AlwaysVisible
            script.name = script.title().lower()
            return script
        except (Exception, SystemExit) as error:  # one script that cannot be made must not take the page away
            errors.report(f"{data.path}: {data.script_class.__name__} cannot be used", error)
            self.notice(f"A script in {origin(data.path)} cannot be used: {_reason(error)}.")
            return None

    def prepare_ui(self) -> None:
        """Forget the controls; somebody is about to build them anew."""
        self.inputs, self.infotext_fields, self.paste_field_names, self.has_controls = [None], [], [], False
        for script in self.scripts:
            script.controls, script.args_from, script.args_to = None, None, None

    def add_controls(self, script: Script) -> None:
        """Build the controls of one script in the current page and note where their values lie in `p.script_args`.

        A script that fails is reported and left out of every run.
        """
        try:
            with old_ways(script.filename or ""), timing.of(script.filename or "", "ui"):
                controls = list(script.ui(script.is_img2img) or [])
        except (Exception, SystemExit) as error:  # an extension's fault must not take the page away
            errors.report(f"{script.filename}: the controls of {script.title()} cannot be built", error)
            self.notice(f"{script.title()} ({origin(script.filename or '')}) is left out, since its controls cannot be built: "
                        f"{_reason(error)}.")
            self._leave_out(script)
            return
        script.controls, script.args_from = controls, len(self.inputs)
        self.inputs += controls
        script.args_to = len(self.inputs)
        self.infotext_fields += script.infotext_fields or []
        self.paste_field_names += script.paste_field_names or []

    def _leave_out(self, script: Script) -> None:
        for scripts_of_kind in (self.scripts, self.alwayson_scripts, self.selectable_scripts):
            scripts_of_kind[:] = [other for other in scripts_of_kind if other is not script]
        self.by_key = {key: other for key, other in self.by_key.items() if other is not script}

    def ensure_controls(self) -> None:
        """Build all controls in a throw-away page if no page did: values that a request leaves open come from them."""
        with _building:
            if self.has_controls:
                return
            self.prepare_ui()
            with throw_away_page() if any(type(script).ui is not Script.ui for script in self.scripts) else nullcontext():
                for script in [*self.alwayson_scripts, *self.selectable_scripts]:
                    self.add_controls(script)
            self.has_controls = True

    def setup_ui(self) -> list[Any]:
        """Build the controls that are not there yet in the current page; returns all inputs. The page of the program does it by itself."""
        self.setup_ui_for_section(None, [script for script in self.scripts if script.controls is None])
        self.has_controls = True
        return self.inputs

    def setup_ui_for_section(self, section: str | None, scriptlist: Sequence[Script] | None = None) -> None:
        """Build the controls of those scripts (all always-on ones where none are named) that belong to a section of the page."""
        for script in self.alwayson_scripts if scriptlist is None else scriptlist:
            if script.section == section:
                self.add_controls(script)

    def reload_sources(self, cache: dict[str, Any] | None = None) -> None:
        """Nothing: scripts are loaded when the program starts."""

    def default_args(self) -> list[Any]:
        """`p.script_args` for a run in which nobody changed a control: no selected script, then a value per control."""
        self.ensure_controls()
        return [0, *(default_value(control) for control in self.inputs[1:])]

    def script(self, title: str) -> Script | None:
        """The script of that title, regardless of case."""
        return self.title_map.get(title.lower())

    def run(self, p: Any, *args: Any) -> Any:
        """Run the selected script (args[0] counts from 1; 0 or None is no script); None when there is none."""
        selected = args[0] if args else 0
        if not selected:
            return None
        script = self.selectable_scripts[int(selected) - 1]
        return script.run(p, *args[script.args_from:script.args_to])

    def set_named_arg(self, args: list, script_name: str, arg_elem_id: str, value: Any, fuzzy: bool = False) -> None:
        """Write `value` into `args` at the control of `script_name` whose element id ends in `arg_elem_id`. Raises KeyError."""
        script = self.title_map[script_name.lower()]
        for offset, control in enumerate(script.controls or []):
            element = getattr(control, "elem_id", None) or ""
            if element == arg_elem_id or (fuzzy and arg_elem_id in element) or element == script.elem_id(arg_elem_id):
                args[(script.args_from or 0) + offset] = value
                return
        raise KeyError(f"{script_name} has no control {arg_elem_id}")

    def _call(self, hook: str, p: Any, *event: Any, **keywords: Any) -> None:
        """The only loop over always-on scripts; a script that raises is reported and the next one runs."""
        for script in list(self.alwayson_scripts):
            args = p.script_args[script.args_from:script.args_to] if script.args_from is not None else []
            began = time.perf_counter()
            try:
                getattr(script, hook)(p, *event, *args, **keywords)
            except (Exception, SystemExit) as error:  # an extension's fault must not end the job
                where = origin(script.filename or inspect.getfile(type(script)))
                errors.report(f"{where}: {hook} failed", error)
                p.comment(f"{script.title()} ({where}) failed in {hook}: {_reason(error)}. The rest went on without it.")
            finally:
                timing.note(script.filename or "", hook, time.perf_counter() - began)

    def before_component(self, component: Any, **keywords: Any) -> None:
        """Tell every script of a component of its tab that is going to be made."""
        self.told_of("before", component, keywords)

    def after_component(self, component: Any, **keywords: Any) -> None:
        """Tell every script of a component of its tab that was made."""
        self.told_of("after", component, keywords)

    def told_of(self, when: str, component: Any, keywords: Mapping[str, Any]) -> None:
        """Call methods that scripts override and functions that they registered for an element; one that fails is reported."""
        for script in list(self.scripts):
            calls = _listeners(script, when, keywords.get("elem_id"))
            try:
                with old_ways(script.filename or "") if calls else nullcontext():
                    for call in calls:
                        call(component, **keywords)
            except Exception as error:  # an extension's fault must not take the page away
                errors.report(f"{origin(script.filename or '')}: {when}_component failed", error)

    def setup_scrips(self, p: Any) -> None:
        """The old name of `setup`."""
        self._call("setup", p)


def _listeners(script: Script, when: str, element: Any) -> list[Callable[..., None]]:
    """What a script wants called with a component: functions that it registered for the element, and its method if it overrides one."""
    method = f"{when}_component"
    registered = script.on_before_component_elem_id if when == "before" else script.on_after_component_elem_id
    found: list[Callable[..., None]] = [partial(_told, callback) for wanted, callback in registered or () if wanted == element]
    return [*found, getattr(script, method)] if getattr(type(script), method) is not getattr(Script, method) else found


def _told(callback: Callable[[OnComponent], None], component: Any, **keywords: Any) -> None:
    callback(OnComponent(component=component))


def any_overrides(runner: ScriptRunner | None, *hooks: str) -> bool:
    """Whether any always-on script of `runner` does something in one of these hooks."""
    if runner is None:
        return False
    return any(getattr(getattr(script, hook), "__func__", None) is not getattr(Script, hook)
               for script in runner.alwayson_scripts for hook in hooks)


def _free_key(title: str, taken: dict[str, Script]) -> str:
    key, number = title, 2
    while key in taken:
        key, number = f"{title} ({number})", number + 1
    return key


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


def _dispatcher(hook: str) -> Callable:
    def call(self: ScriptRunner, p: Any, *event: Any, **keywords: Any) -> None:
        self._call(hook, p, *event, **keywords)

    call.__name__ = hook
    call.__doc__ = f"Call `{hook}` of every always-on script."
    return call


for _hook in HOOKS:
    setattr(ScriptRunner, _hook, _dispatcher(_hook))

scripts_txt2img: ScriptRunner | None = None
scripts_postproc: Any = None  # a ScriptPostprocessingRunner
scripts_img2img: ScriptRunner | None = None
scripts_current: ScriptRunner | None = None


def __getattr__(name: str) -> Any:
    if name in ("shared", "paths"):  # names that extensions expect here
        return importlib.import_module(f"modules.{name}")
    if name in ("list_scripts", "list_files_with_name", "ScriptFile", "load_scripts", "reload_scripts"):
        return getattr(importlib.import_module("modules.script_files"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
