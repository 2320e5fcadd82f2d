"""Split oversized images: a picture much longer than the wanted size becomes several of that size, overlapping."""
import math

from PIL import Image

from modules import scripts_postprocessing


class ScriptPostprocessingSplitOversized(scripts_postprocessing.ScriptPostprocessing):
    name = "Split oversized images"
    order = 4000

    def ui(self):
        import gradio as gr

        from modules.ui_components import FormRow, InputAccordion

        with InputAccordion(False, label="Split oversized images", elem_id="extras_split_oversized") as enable, FormRow():
            threshold = gr.Slider(label="Threshold", value=0.5, minimum=0.0, maximum=1.0, step=0.05, elem_id="postprocess_split_threshold")
            overlap = gr.Slider(label="Overlap ratio", value=0.2, minimum=0.0, maximum=0.9, step=0.05, elem_id="postprocess_overlap_ratio")
        return {"enable": enable, "split_threshold": threshold, "overlap_ratio": overlap}

    def process(self, pp, enable=False, split_threshold=0.5, overlap_ratio=0.2):
        width, height = pp.shared.target_width, pp.shared.target_height
        if not enable:
            return
        if not width or not height:
            pp.notes.append("Nothing was split, since no size is given: switch Upscale on, it says which size is wanted.")
            return
        first, *others = parts(pp.image, width, height, split_threshold, overlap_ratio)
        pp.image = first
        pp.extra_images = [pp.create_copy(part) for part in others]


def parts(image, width, height, threshold, overlap):
    """The picture, or pictures of width x height px along its longer side, where the sides differ by more than the threshold says.

    The threshold compares the wanted form with the picture's: 0.5 splits what is more than twice as long.
    """
    is_tall = image.height * width > image.width * height
    along, across = (image.height, image.width) if is_tall else (image.width, image.height)
    wanted_along, wanted_across = (height, width) if is_tall else (width, height)
    ratio = across * wanted_along / (along * wanted_across)
    if ratio >= 1 or ratio > threshold:
        return [image]
    length = max(wanted_along, along * wanted_across // across)
    image = image.resize((width, length) if is_tall else (length, height), Image.Resampling.LANCZOS)
    count = max(1, math.ceil((length - wanted_along * overlap) / (wanted_along * (1 - overlap))))
    starts = [round(number * (length - wanted_along) / max(1, count - 1)) for number in range(count)]
    return [image.crop((0, start, width, start + height) if is_tall else (start, 0, start + width, height)) for start in starts]
