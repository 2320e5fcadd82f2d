"""Upscale: enlarges a picture by a factor or to a size, with one upscaler or two blended."""
from PIL import Image

from modules import scripts_postprocessing, shared
from modules.errors import UserError
from modules.imaging.known_upscalers import KNOWN_UPSCALERS
from modules.postprocessing import check_target


class ScriptPostprocessingUpscale(scripts_postprocessing.ScriptPostprocessing):
    name = "Upscale"
    order = 1000

    def ui(self):
        import gradio as gr

        from modules.ui.needed_files import needed_files
        from modules.ui_components import FormRow, InputAccordion, ToolButton

        names = [upscaler.name for upscaler in shared.sd_upscalers]
        # Any name is taken, and judged by the job: gradio refuses that of a file which came after the page was loaded.
        choices = {"choices": names, "value": names[0], "allow_custom_value": True}
        selected = gr.Number(value=0, visible="hidden", precision=0)
        with InputAccordion(True, label="Upscale", elem_id="extras_upscale") as upscale_enabled:
            with gr.Tabs(elem_id="extras_resize_mode"):
                with gr.Tab("Scale by", elem_id="extras_scale_by_tab") as tab_scale_by:
                    upscale_by = gr.Slider(minimum=1.0, maximum=8.0, step=0.05, label="Resize", value=4, elem_id="extras_upscaling_resize")
                with gr.Tab("Scale to", elem_id="extras_scale_to_tab") as tab_scale_to:
                    with FormRow():
                        with gr.Column(elem_id="upscaling_column_size", scale=4):
                            width, height = (
                                gr.Slider(label=label, value=512, minimum=64, maximum=8192, step=8, elem_id=f"extras_upscaling_resize_{s}")
                                for label, s in (("Width", "w"), ("Height", "h")))
                        with gr.Column(elem_id="upscaling_dimensions_row", scale=0, min_width=40, elem_classes="dimensions-tools"):
                            switch = ToolButton("⇅", elem_id="upscaling_res_switch_btn", elem_classes=["easel-icon", "icon-swap"],
                                                tooltip="Switch width and height")
                    crop = gr.Checkbox(label="Crop to fit", value=True, elem_id="extras_upscaling_crop")
            with FormRow():
                upscaler_1 = gr.Dropdown(label="Upscaler 1", elem_id="extras_upscaler_1", **choices)
            with FormRow():
                upscaler_2 = gr.Dropdown(label="Upscaler 2", elem_id="extras_upscaler_2", **choices)
                visibility = gr.Slider(minimum=0.0, maximum=1.0, step=0.001, label="Upscaler 2 visibility", value=0.0,
                                       elem_id="extras_upscaler_2_visibility")
            with gr.Accordion("More upscalers", open=False, elem_id="extras_more_upscalers"):
                needed_files(*(known.name for known in KNOWN_UPSCALERS))
        switch.click(lambda w, h: (h, w), inputs=[width, height], outputs=[width, height], show_progress="hidden")
        tab_scale_by.select(lambda: 0, inputs=[], outputs=[selected], show_progress="hidden")
        tab_scale_to.select(lambda: 1, inputs=[], outputs=[selected], show_progress="hidden")
        return {
            "upscale_enabled": upscale_enabled, "upscale_mode": selected, "upscale_by": upscale_by, "upscale_to_width": width,
            "upscale_to_height": height, "upscale_crop": crop, "upscaler_1_name": upscaler_1, "upscaler_2_name": upscaler_2,
            "upscaler_2_visibility": visibility,
        }

    def process_firstpass(self, pp, upscale_enabled=True, upscale_mode=0, upscale_by=2.0, upscale_to_width=None, upscale_to_height=None,
                          upscale_crop=False, **values):
        if not upscale_enabled:
            return
        if upscale_mode == 1:
            pp.shared.target_width, pp.shared.target_height = upscale_to_width, upscale_to_height
        else:
            pp.shared.target_width, pp.shared.target_height = int(pp.image.width * upscale_by), int(pp.image.height * upscale_by)

    def process(self, pp, upscale_enabled=True, upscale_mode=0, upscale_by=2.0, upscale_to_width=None, upscale_to_height=None,
                upscale_crop=False, upscaler_1_name=None, upscaler_2_name=None, upscaler_2_visibility=0.0):
        first, second = found(upscaler_1_name), found(upscaler_2_name)
        if not upscale_enabled or first is None:
            return
        size = (int(upscale_to_width), int(upscale_to_height)) if upscale_mode == 1 else None
        by = max(size[0] / pp.image.width, size[1] / pp.image.height) if size else float(upscale_by)
        image = upscaled(pp.image, first, by, size if upscale_crop else None)
        pp.info |= {"Postprocess upscale to": f"{size[0]}x{size[1]}"} if size else {"Postprocess upscale by": by}
        if size and upscale_crop:
            pp.info["Postprocess crop to"] = f"{size[0]}x{size[1]}"
        pp.info["Postprocess upscaler"] = first.name
        if second is not None and upscaler_2_visibility > 0:
            other = upscaled(pp.image, second, by, size if upscale_crop else None)
            image = Image.blend(image, other.convert(image.mode).resize(image.size), min(1.0, upscaler_2_visibility))
            pp.info["Postprocess upscaler 2"] = second.name
        pp.image = image
        if shared.opts.use_upscaler_name_as_suffix:
            pp.nametags.append(first.name)


class ScriptPostprocessingUpscaleSimple(ScriptPostprocessingUpscale):
    """The same with nothing but an upscaler and a factor, for other programs."""

    name = "Simple Upscale"
    order = 900

    def ui(self):
        import gradio as gr

        from modules.ui_components import FormRow

        names = [upscaler.name for upscaler in shared.sd_upscalers]
        with FormRow():
            upscaler = gr.Dropdown(label="Upscaler", choices=names, value=names[0])
            upscale_by = gr.Slider(minimum=0.05, maximum=8.0, step=0.05, label="Upscale by", value=2)
        return {"upscale_by": upscale_by, "upscaler_name": upscaler}

    def process_firstpass(self, pp, upscale_by=2.0, upscaler_name=None, **values):
        pp.shared.target_width, pp.shared.target_height = int(pp.image.width * upscale_by), int(pp.image.height * upscale_by)

    def process(self, pp, upscale_by=2.0, upscaler_name=None, **values):
        super().process(pp, upscale_by=upscale_by, upscaler_1_name=upscaler_name)


def found(name):
    """The upscaler of that name, None for none. Raises UserError with what it needs."""
    if not name or name == "None":
        return None
    for upscaler in shared.sd_upscalers:
        if upscaler.name.lower() == name.lower():
            return upscaler
    raise UserError(f'There is no upscaler named "{name}".', remedy="Choose another one, or put its file back.")


def upscaled(image, upscaler, by, crop_to):
    """`image` enlarged, and cut out of the middle of that where a size is to be met."""
    check_target(int(image.width * by), int(image.height * by))
    image = upscaler.scaler.upscale(image, by, upscaler.data_path)
    if crop_to is None:
        return image
    width, height = crop_to
    cropped = Image.new(image.mode, crop_to)
    cropped.paste(image, (width // 2 - image.width // 2, height // 2 - image.height // 2))
    return cropped
