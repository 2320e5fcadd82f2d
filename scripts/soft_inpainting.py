"""Soft inpainting: where the mask is grey the picture is repainted in part, and edges follow what was painted."""
from PIL import Image, ImageOps

from modules import images, scripts, shared
from scripts.parts.soft_mask import SoftInpainting, blended, moved_mask, overlay_mask, repainted_share

TITLE = "Soft inpainting"
# label, least, most, step, default; the order is that of the values of SoftInpainting
CONTROLS = (
    ("Schedule bias", 0, 8, 0.1, 1, "schedule_bias"),
    ("Preservation strength", 0, 8, 0.05, 0.5, "preservation_strength"),
    ("Transition contrast boost", 1, 32, 0.5, 4, "transition_contrast_boost"),
    ("Mask influence", 0, 1, 0.05, 0, "mask_influence"),
    ("Difference threshold", 0, 8, 0.25, 0.5, "difference_threshold"),
    ("Difference contrast", 0, 8, 0.25, 2, "difference_contrast"),
)


class Script(scripts.Script):
    """Takes part in img2img with a mask when it is switched on."""

    def __init__(self):
        self.masks, self.overlays = [], []

    def title(self):
        return TITLE

    def show(self, is_img2img):
        return scripts.AlwaysVisible if is_img2img else False

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        with gr.Accordion(TITLE, open=False, elem_id="soft_inpainting"):
            enabled = gr.Checkbox(False, label="Repaint grey parts of the mask in part", elem_id="soft_inpainting_enabled")
            sliders = [gr.Slider(least, most, value=value, step=step, label=label, elem_id=item)
                       for label, least, most, step, value, item in CONTROLS]
        self.infotext_fields = [(enabled, f"{TITLE} enabled")]
        self.infotext_fields += [(slider, f"{TITLE} {label.lower()}") for slider, (label, *_) in zip(sliders, CONTROLS)]
        return [enabled, *sliders]

    def process(self, p, enabled=False, *values):
        self.masks, self.overlays = [], []
        if not enabled or p.image_mask is None:
            return
        p.mask_round = False
        p.extra_generation_params[f"{TITLE} enabled"] = True
        p.extra_generation_params |= {f"{TITLE} {label.lower()}": value for value, (label, *_) in zip(values, CONTROLS)}

    def on_mask_blend(self, p, mba, enabled=False, *values):
        if not enabled:
            return
        if mba.is_final_blend:
            mba.blended_latent = mba.current_latent
            return
        share = repainted_share(mba.nmask, float(mba.sigma[0]), wish_of(values))
        mba.blended_latent = blended(mba.init_latent, mba.current_latent, share, wish_of(values))

    def post_sample(self, p, ps, enabled=False, *values):
        if not enabled or p.nmask is None:
            return
        shares = [moved_mask(original, result, p.nmask, wish_of(values)) for original, result in zip(p.init_latent, ps.samples)]
        pictures = [original_of(p, p.init_images[place % len(p.init_images)]) for place in range(len(shares))]
        self.masks = [overlay_mask(share, (p.width, p.height), p.paste_to, picture.size) for share, picture in zip(shares, pictures)]
        self.overlays = [kept(picture, mask) for picture, mask in zip(pictures, self.masks)]

    def postprocess_maskoverlay(self, p, ppmo, enabled=False, *values):
        if not enabled or not self.masks or ppmo.overlay_image is None:
            return
        ppmo.mask_for_overlay, ppmo.overlay_image = self.masks[ppmo.index], self.overlays[ppmo.index]


def wish_of(values):
    """The six values of the controls."""
    return SoftInpainting(**dict(zip(SoftInpainting.__dataclass_fields__, values)))


def original_of(p, picture):
    """The picture of the form as the result is put back into it."""
    picture = images.flatten(picture, shared.opts.img2img_background_color)
    if p.paste_to is None:
        picture = images.resize_image(p.resize_mode if p.resize_mode != 3 else 0, picture, p.width, p.height)
    return picture


def kept(picture, mask):
    """RGBA: the picture where the mask is black, transparent where it is white."""
    masked = Image.new("RGBa", picture.size)
    masked.paste(picture.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    return masked.convert("RGBA")
