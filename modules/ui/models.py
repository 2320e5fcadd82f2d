"""What the page says about checkpoints: their names, the size that suits one, where to put more of them."""
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from modules.errors import NotFound
from modules.ui.components import paragraphs

if TYPE_CHECKING:
    from modules.checkpoints.files import CheckpointInfo
    from modules.runtime import Runtime

DEFAULT_SIZE_PX = 512
# Opens the dialog of 85_existing_installation.js.
# Opened by 17_model_manager.js and 18_tour.js.
FIRST_STEPS = ('<button type="button" id="model_manager_button" class="link">Add models</button> '
               '<button type="button" id="tour_button" class="link">Take a short tour</button>')
USE_INSTALLATION = ('Do you have models for another program? '
                    '<button type="button" class="use-installation">Use an existing installation</button>')


def checkpoint_titles(rt: Runtime) -> list[tuple[str, str]]:
    """All checkpoints that can be chosen, the demo model last: what lists show, and the title.

    Shown is the title, or what follows its folders where the user wants that and no other file is called the same.
    """
    titles = [info.title for info in rt.checkpoints]
    if not rt.settings.sd_checkpoint_dropdown_use_short:
        return [(title, title) for title in titles]
    short = Counter(info.short_title for info in rt.checkpoints)
    return [(info.short_title if short[info.short_title] == 1 else info.title, info.title) for info in rt.checkpoints]


def chosen(rt: Runtime) -> CheckpointInfo | None:
    """The checkpoint that the next job uses, None while there is none at all."""
    try:
        return rt.chosen_checkpoint()
    except NotFound:
        return None


def chosen_title(rt: Runtime) -> str:
    """Its title, "" for none."""
    info = chosen(rt)
    return info.title if info else ""


def native_size(rt: Runtime) -> int:
    """Edge in pixels of the pictures that the chosen checkpoint was trained on."""
    return getattr(chosen(rt), "native_size_px", None) or DEFAULT_SIZE_PX


def shown_for_instructions(rt: Runtime) -> bool | str:
    """The property `visible` of controls that count for models which take a picture as an instruction."""
    info = chosen(rt)
    return True if info and info.follows_instructions else "hidden"


def models_note(rt: Runtime) -> str:
    """HTML that tells where checkpoints go while only the demo model is there, and which files cannot be used and why."""
    notes = []
    if all(info.is_demo for info in rt.checkpoints):
        there = "Only the small demo model is here." if list(rt.checkpoints) else "There is no checkpoint."
        notes.append(paragraphs(f"{there} Put Stable Diffusion checkpoints (.safetensors) into "
                                f"{rt.folders.checkpoints} and press the button beside the list.", "note"))
        notes.append(f'<p class="note">{USE_INSTALLATION} {FIRST_STEPS}</p>')
    notes += [paragraphs(f"{broken.name} cannot be used: {broken.reason}", "warning") for broken in rt.checkpoints.broken]
    return "\n".join(notes)
