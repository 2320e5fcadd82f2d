"""Auto focal point crop: cuts out the wanted size around what is most interesting in the picture."""
from PIL import ImageDraw

from modules import runtime, scripts_postprocessing
from modules.errors import UserError
from modules.imaging.focal_point import FocalWeights, crop_around, focal_points, weighted_centre


class ScriptPostprocessingFocalCrop(scripts_postprocessing.ScriptPostprocessing):
    name = "Auto focal point crop"
    order = 4010

    def ui(self):
        import gradio as gr

        from modules.ui.needed_files import needed_files
        from modules.ui_components import InputAccordion

        with InputAccordion(False, label="Auto focal point crop", elem_id="extras_focal_crop") as enable:
            face = gr.Slider(label="Focal point face weight", value=0.9, minimum=0.0, maximum=1.0, step=0.05,
                             elem_id="postprocess_focal_crop_face_weight")
            entropy = gr.Slider(label="Focal point entropy weight", value=0.15, minimum=0.0, maximum=1.0, step=0.05,
                                elem_id="postprocess_focal_crop_entropy_weight")
            edges = gr.Slider(label="Focal point edges weight", value=0.5, minimum=0.0, maximum=1.0, step=0.05,
                              elem_id="postprocess_focal_crop_edges_weight")
            debug = gr.Checkbox(label="Create debug image", elem_id="train_process_focal_crop_debug")
            needed_files("Finding faces")
        return {"enable": enable, "face_weight": face, "entropy_weight": entropy, "edges_weight": edges, "debug": debug}

    def process(self, pp, enable=False, face_weight=0.9, entropy_weight=0.15, edges_weight=0.5, debug=False):
        width, height = pp.shared.target_width, pp.shared.target_height
        if not enable:
            return
        if not width or not height:
            pp.notes.append("Nothing was cropped, since no size is given: switch Upscale on, it says which size is wanted.")
            return
        weights = FocalWeights(face=face_weight, entropy=entropy_weight, edges=edges_weight)
        points = focal_points(pp.image, (int(width), int(height)), weights, faces_in(pp, face_weight))
        centre = weighted_centre(points, pp.image.size)
        if debug:
            pp.extra_images = [pp.create_copy(drawn(pp.image, points, centre), nametags=["focal-crop-debug"], disable_processing=True)]
        pp.image = crop_around(pp.image, (int(width), int(height)), centre)


def faces_in(pp, weight):
    """Boxes of faces; without the file that finds them a note says what it needs, and the crop does without."""
    if weight <= 0:
        return []
    try:
        return runtime.current().faces.boxes(pp.image)
    except UserError as error:
        pp.notes.append(f"Auto focal point crop did not look for faces: {error}")
        return []


def drawn(image, points, centre):
    """The picture with every point, its weight as the size, and the centre of all."""
    sheet = image.convert("RGB")
    draw = ImageDraw.Draw(sheet)
    unit = max(3, min(sheet.size) // 40)
    colors = {"face": "#ffd400", "entropy": "#3f8cff", "edges": "#38d66b"}
    for point in points:
        radius = unit * (0.4 + point.weight)
        around = point.x - radius, point.y - radius, point.x + radius, point.y + radius
        draw.ellipse(around, outline=colors[point.kind], width=max(1, unit // 4))
    x, y = centre
    draw.line((x - unit * 2, y, x + unit * 2, y), fill="#ff3b3b", width=max(1, unit // 3))
    draw.line((x, y - unit * 2, x, y + unit * 2), fill="#ff3b3b", width=max(1, unit // 3))
    return sheet
