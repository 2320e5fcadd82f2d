"""Events that extensions may listen to: the table, registration, and the one dispatcher."""
from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from modules import errors
from modules.extensions import timing
from modules.extensions.discovery import origin
from modules.extensions.offstage import old_ways


@dataclass(frozen=True)
class ScriptCallback:
    """A registered function and the file it came from."""

    script: str
    callback: Callable
    name: str = ""


@dataclass
class ImageSaveParams:
    """A picture about to be saved, or saved: all four may be replaced before it is."""

    image: Any
    p: Any
    filename: str
    pnginfo: dict[str, Any]


@dataclass
class ExtraNoiseParams:
    """Noise to be added to a latent."""

    noise: Any
    x: Any
    xi: Any


@dataclass
class CFGDenoiserParams:
    """What one step is about to give the network; x, image_cond, sigma, text_cond and text_uncond are read back."""

    x: Any
    image_cond: Any
    sigma: Any
    sampling_step: int
    total_sampling_steps: int
    text_cond: Any
    text_uncond: Any
    denoiser: Any = None


@dataclass
class CFGDenoisedParams:
    """What the network gave for all conditions of one step, stacked; changed in place."""

    x: Any
    sampling_step: int
    total_sampling_steps: int
    inner_model: Any = None


@dataclass
class AfterCFGCallbackParams:
    """The combined estimate of one step; x is read back."""

    x: Any
    sampling_step: int
    total_sampling_steps: int


@dataclass
class UiTrainTabParams:
    """What a tab of the training page may use."""

    txt2img_preview_params: Any


@dataclass
class ImageGridLoopParams:
    """Pictures and shape of a grid before it is drawn."""

    imgs: list
    cols: int
    rows: int


@dataclass
class BeforeTokenCounterParams:
    """The prompt and steps that a token counter is about to count; may be replaced."""

    prompt: str
    steps: int
    styles: list[str]
    is_positive: bool = True


# One row per event; the registrar on_<event> is made from it.
EVENTS: tuple[str, ...] = (
    "app_started", "model_loaded", "ui_tabs", "ui_train_tabs", "ui_settings", "before_image_saved", "image_saved", "extra_noise",
    "cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "before_component", "after_component", "image_grid", "infotext_pasted",
    "script_unloaded", "before_ui", "before_reload", "list_optimizers", "list_unets", "before_token_counter")

# Those in which extensions make components.
OF_THE_PAGE = frozenset({"app_started", "ui_tabs", "ui_train_tabs", "ui_settings", "before_component", "after_component", "before_ui",
                         "infotext_pasted"})

callback_map: dict[str, list[ScriptCallback]] = defaultdict(list)


def add_callback(event: str, callback: Callable, *, name: str | None = None) -> None:
    """Register `callback` for `event`, remembering the file that the caller's code lies in."""
    frame = inspect.currentframe()
    caller = frame.f_back.f_back if frame and frame.f_back else None
    script = caller.f_code.co_filename if caller else "unknown file"
    callback_map[event].append(ScriptCallback(script, callback, name or str(getattr(callback, "__name__", ""))))


def call(event: str, *args: Any, note: Callable[[str], None] | None = None, since: int = 0,
         **keywords: Any) -> list[Any]:
    """Call every function registered for `event` in the order of registration; their results that are not None.

    A function that raises is reported with its file, `note` gets a sentence about it, and the others run. `since`: how many were
    called already.
    """
    results = []
    for registered in list(callback_map.get(event, ()))[since:]:
        try:
            with timing.of(registered.script, event), old_ways(registered.script) if event in OF_THE_PAGE else nullcontext():
                result = registered.callback(*args, **keywords)
        except (Exception, SystemExit) as error:  # an extension's fault must not end the job
            where = origin(registered.script)
            errors.report(f"{event} of {where} failed", error)
            if note is not None:
                note(f"{where} failed in {event}: {str(error) or type(error).__name__}. The rest went on without it.")
            continue
        if result is not None:
            results.append(result)
    return results


def has(event: str) -> bool:
    """Whether anybody listens to `event`."""
    return bool(callback_map.get(event))


def clear_callbacks() -> None:
    """Forget all registrations; after `script_unloaded` was called, before scripts are loaded again."""
    callback_map.clear()


def remove_callbacks_for_function(function: Callable) -> None:
    """Forget every registration of `function`."""
    for registered in callback_map.values():
        registered[:] = [item for item in registered if item.callback is not function]


def remove_current_script_callbacks() -> None:
    """Forget every registration made from the file of the caller."""
    frame = inspect.currentframe()
    file = frame.f_back.f_code.co_filename if frame and frame.f_back else ""
    for registered in callback_map.values():
        registered[:] = [item for item in registered if item.script != file]


def on_app_started(callback: Callable, *, name: str | None = None) -> None:
    """callback(demo: gr.Blocks or None, app: FastAPI), when the server is about to answer."""
    add_callback("app_started", callback, name=name)


def on_before_reload(callback: Callable, *, name: str | None = None) -> None:
    """callback(), before the page is built again."""
    add_callback("before_reload", callback, name=name)


def on_model_loaded(callback: Callable, *, name: str | None = None) -> None:
    """callback(sd_model), after each load."""
    add_callback("model_loaded", callback, name=name)


def on_ui_tabs(callback: Callable, *, name: str | None = None) -> None:
    """callback() -> list of (gr.Blocks, title, id)."""
    add_callback("ui_tabs", callback, name=name)


def on_ui_train_tabs(callback: Callable, *, name: str | None = None) -> None:
    """callback(UiTrainTabParams)."""
    add_callback("ui_train_tabs", callback, name=name)


def on_ui_settings(callback: Callable, *, name: str | None = None) -> None:
    """callback(), the moment to call opts.add_option."""
    add_callback("ui_settings", callback, name=name)


def on_before_image_saved(callback: Callable, *, name: str | None = None) -> None:
    """callback(ImageSaveParams), before a picture is written."""
    add_callback("before_image_saved", callback, name=name)


def on_image_saved(callback: Callable, *, name: str | None = None) -> None:
    """callback(ImageSaveParams), after a picture is on disk."""
    add_callback("image_saved", callback, name=name)


def on_extra_noise(callback: Callable, *, name: str | None = None) -> None:
    """callback(ExtraNoiseParams), before extra noise is added."""
    add_callback("extra_noise", callback, name=name)


def on_cfg_denoiser(callback: Callable, *, name: str | None = None) -> None:
    """callback(CFGDenoiserParams), before the network is called."""
    add_callback("cfg_denoiser", callback, name=name)


def on_cfg_denoised(callback: Callable, *, name: str | None = None) -> None:
    """callback(CFGDenoisedParams), after the network was called for all conditions."""
    add_callback("cfg_denoised", callback, name=name)


def on_cfg_after_cfg(callback: Callable, *, name: str | None = None) -> None:
    """callback(AfterCFGCallbackParams), after guidance was applied."""
    add_callback("cfg_after_cfg", callback, name=name)


def on_before_component(callback: Callable, *, name: str | None = None) -> None:
    """callback(component, **constructor keywords), before each component of the page."""
    add_callback("before_component", callback, name=name)


def on_after_component(callback: Callable, *, name: str | None = None) -> None:
    """callback(component, **constructor keywords), after each component of the page."""
    add_callback("after_component", callback, name=name)


def on_image_grid(callback: Callable, *, name: str | None = None) -> None:
    """callback(ImageGridLoopParams), before a grid is drawn."""
    add_callback("image_grid", callback, name=name)


def on_infotext_pasted(callback: Callable, *, name: str | None = None) -> None:
    """callback(infotext, parameters); may change the parameters in place."""
    add_callback("infotext_pasted", callback, name=name)


def on_script_unloaded(callback: Callable, *, name: str | None = None) -> None:
    """callback(), before scripts are loaded again."""
    add_callback("script_unloaded", callback, name=name)


def on_before_ui(callback: Callable, *, name: str | None = None) -> None:
    """callback(), the last moment before the page is built."""
    add_callback("before_ui", callback, name=name)


def on_list_optimizers(callback: Callable, *, name: str | None = None) -> None:
    """callback(list of attention implementations)."""
    add_callback("list_optimizers", callback, name=name)


def on_list_unets(callback: Callable, *, name: str | None = None) -> None:
    """callback(list of U-Net replacements)."""
    add_callback("list_unets", callback, name=name)


def on_before_token_counter(callback: Callable, *, name: str | None = None) -> None:
    """callback(BeforeTokenCounterParams)."""
    add_callback("before_token_counter", callback, name=name)
