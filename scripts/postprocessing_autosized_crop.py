"""Auto-sized crop: cuts the centre out in the multiple of 64 px that fits the picture best."""
from PIL import Image, ImageOps

from modules import scripts_postprocessing

GRID_PX = 64
OBJECTIVES = ("Maximize area", "Minimize error")


class ScriptPostprocessingAutosizedCrop(scripts_postprocessing.ScriptPostprocessing):
    name = "Auto-sized crop"
    order = 4020

    def ui(self):
        import gradio as gr

        from modules.ui_components import FormRow, InputAccordion

        with InputAccordion(False, label="Auto-sized crop", elem_id="extras_autosized_crop") as enable:
            gr.Markdown("Each image is center-cropped with an automatically chosen width and height.")
            with FormRow():
                mindim = gr.Slider(minimum=64, maximum=2048, step=8, label="Dimension lower bound", value=384,
                                   elem_id="postprocess_multicrop_mindim")
                maxdim = gr.Slider(minimum=64, maximum=2048, step=8, label="Dimension upper bound", value=768,
                                   elem_id="postprocess_multicrop_maxdim")
            with FormRow():
                minarea = gr.Slider(minimum=64 * 64, maximum=2048 * 2048, step=1, label="Area lower bound", value=64 * 64,
                                    elem_id="postprocess_multicrop_minarea")
                maxarea = gr.Slider(minimum=64 * 64, maximum=2048 * 2048, step=1, label="Area upper bound", value=640 * 640,
                                    elem_id="postprocess_multicrop_maxarea")
            with FormRow():
                objective = gr.Radio(list(OBJECTIVES), value=OBJECTIVES[0], label="Resizing objective",
                                     elem_id="postprocess_multicrop_objective")
                threshold = gr.Slider(minimum=0, maximum=1, step=0.01, label="Error threshold", value=0.1,
                                      elem_id="postprocess_multicrop_threshold")
        return {"enable": enable, "mindim": mindim, "maxdim": maxdim, "minarea": minarea, "maxarea": maxarea, "objective": objective,
                "threshold": threshold}

    def process(self, pp, enable=False, mindim=384, maxdim=768, minarea=4096, maxarea=409600, objective=OBJECTIVES[0], threshold=0.1):
        if not enable:
            return
        size = best_size(pp.image.size, range(int(mindim), int(maxdim) + 1, GRID_PX), (minarea, maxarea), objective, threshold)
        if size is None:
            pp.notes.append(f"Auto-sized crop left {pp.image.width}x{pp.image.height} px as it is: no size within the bounds is near its "
                            "form. Raise the error threshold.")
            return
        pp.image = ImageOps.fit(pp.image, size, Image.Resampling.LANCZOS)


def best_size(size, sides, area, objective, threshold):
    """The size of these sides and areas whose form differs least from that of `size`, or the largest one; None where none is near."""
    def error(width, height):
        ratio = size[0] * height / (size[1] * width)
        return 1 - min(ratio, 1 / ratio)

    fitting = [(width, height) for width in sides for height in sides
               if area[0] <= width * height <= area[1] and error(width, height) <= threshold]
    ranks = (lambda wh: (wh[0] * wh[1], -error(*wh))) if objective == OBJECTIVES[0] else (lambda wh: (-error(*wh), wh[0] * wh[1]))
    return max(fitting, key=ranks, default=None)
