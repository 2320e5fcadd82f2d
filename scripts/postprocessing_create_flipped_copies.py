"""Create flipped copies: mirrored pictures beside the picture itself."""
from PIL import ImageOps

from modules import scripts_postprocessing

FLIPS = {"Horizontal": ImageOps.mirror, "Vertical": ImageOps.flip, "Both": lambda image: ImageOps.flip(ImageOps.mirror(image))}


class ScriptPostprocessingCreateFlippedCopies(scripts_postprocessing.ScriptPostprocessing):
    name = "Create flipped copies"
    order = 4030

    def ui(self):
        import gradio as gr

        from modules.ui_components import FormRow, InputAccordion

        with InputAccordion(False, label="Create flipped copies", elem_id="extras_create_flipped_copies") as enable, FormRow():
            option = gr.CheckboxGroup(value=["Horizontal"], choices=list(FLIPS), show_label=False)
        return {"enable": enable, "option": option}

    def process(self, pp, enable=False, option=()):
        if enable:
            pp.extra_images = [pp.create_copy(flip(pp.image)) for name, flip in FLIPS.items() if name in option]
