"""Loopback: the result of img2img is what the next round begins with."""
import importlib
import math
from importlib.util import find_spec

from modules import errors, processing, scripts, shared
from scripts.parts.results import Gathered, own_copy, sheet_of_all, stopped

ORIGINAL = 1  # masked content
CURVES = {
    "Aggressive": lambda x: math.sin(math.pi * x / 2),
    "Linear": lambda x: x,
    "Lazy": lambda x: 1 - math.cos(math.pi * x / 2),
}
NO_TEXT = "None"
INTERROGATORS = {  # name -> module that has to be there, and the text of a picture
    "CLIP": ("modules.interrogate", lambda picture: shared.interrogator.interrogate(picture)),
    "DeepBooru": ("modules.deepbooru", lambda picture: importlib.import_module("modules.deepbooru").model.tag(picture)),
}


class Script(scripts.Script):
    """Each round may have another strength, along a curve from that of the form to the final one."""

    def title(self):
        return "Loopback"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        loops = gr.Slider(1, 32, value=4, step=1, label="Loops", elem_id=self.elem_id("loops"))
        final = gr.Slider(0, 1, value=0.5, step=0.01, label="Final denoising strength", elem_id=self.elem_id("final_denoising_strength"))
        curve = gr.Dropdown(list(CURVES), value="Linear", label="Denoising strength curve", elem_id=self.elem_id("denoising_curve"))
        known = [NO_TEXT, *(name for name, (module, _) in INTERROGATORS.items() if find_spec(module))]
        append = gr.Dropdown(known, value=NO_TEXT, label="Append interrogated prompt at each iteration",
                             visible=len(known) > 1, elem_id=self.elem_id("append_interrogation"))
        return [loops, final, curve, append]

    def run(self, p, loops, final_strength, curve, append):
        text_of = interrogator(append)
        processing.fix_seed(p)
        rounds, batches = max(1, int(loops)), p.n_iter
        shared.state.job_count = rounds * batches
        gathered, seed = Gathered(), p.seed
        p.extra_generation_params |= {"Final denoising strength": final_strength, "Denoising curve": curve}
        strengths = [strength_at(done, rounds, p.denoising_strength, final_strength, curve) for done in range(rounds)]
        for _ in range(batches):
            made = rounds_of(p, strengths, seed, text_of)
            seed += len(made)
            for processed in made if batches == 1 else made[-1:]:
                gathered.add(processed)
            if stopped():
                break
        return gathered.processed(p, sheet_of_all(p, gathered))


def interrogator(name):
    """The function that describes a picture, None where none is wanted. Raises UserError for one that is not there."""
    if name in (NO_TEXT, None, ""):
        return None
    module, text_of = INTERROGATORS.get(name, ("", None))
    if text_of is None or not find_spec(module):
        raise errors.UserError(f"{name} cannot describe pictures here.", "This version has no interrogator of that name.",
                               f"Choose {NO_TEXT} for the interrogated prompt.")
    return text_of


def strength_at(done, rounds, initial, final, curve):
    """The denoising strength of a round after `done` others."""
    if rounds == 1:
        return initial
    return initial + (final - initial) * CURVES.get(curve, CURVES["Linear"])(done / (rounds - 1))


def rounds_of(p, strengths, seed, text_of):
    """The results of rounds of these strengths that begin with the picture of `p`, as far as nobody stops them."""
    one = own_copy(p)
    one.batch_size, one.n_iter, one.do_not_save_grid = 1, 1, True
    if shared.opts.img2img_color_correction:
        one.color_corrections = [processing.setup_color_correction(p.init_images[0])]
    made = []
    for strength in strengths:
        if stopped():
            break
        one.seed, one.denoising_strength = seed + len(made), strength
        if text_of is not None:
            one.prompt = ", ".join(filter(None, [p.prompt, text_of(one.init_images[0])]))
        processed = processing.process_images(one)
        if not processed.images:
            break  # skipped
        made.append(processed)
        one.init_images, one.inpainting_fill = [processed.images[0]], ORIGINAL
    return made
