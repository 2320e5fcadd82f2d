"""Poor man's outpainting: the picture on a larger canvas, whose border is inpainted tile by tile."""
from PIL import Image

from modules import errors, images, processing, scripts, shared
from scripts.parts.outpainting import direction_control, growth_of, hole_around
from scripts.parts.results import Gathered, save_picture
from scripts.parts.tiles import made_anew, replaced, tiles_of

CONTENTS = ("fill", "original", "latent noise", "latent nothing")


class Script(scripts.Script):
    """Every tile that touches the border is made; one picture comes out, whatever the batch settings."""

    def title(self):
        return "Poor man's outpainting"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        pixels = gr.Slider(8, 256, value=128, step=8, label="Pixels to expand", elem_id=self.elem_id("pixels"))
        blur = gr.Slider(0, 64, value=4, step=1, label="Mask blur", elem_id=self.elem_id("mask_blur"))
        content = gr.Radio(list(CONTENTS), value="fill", type="index", label="Masked content", elem_id=self.elem_id("inpainting_fill"))
        return [pixels, blur, content, direction_control(gr, self.elem_id("direction"))]

    def run(self, p, pixels, mask_blur, content, directions):
        processing.fix_seed(p)
        picture = images.flatten(p.init_images[0], shared.opts.img2img_background_color)
        growth = growth_of(picture.size, int(pixels), directions)
        p.inpaint_full_res, p.mask_blur = False, int(mask_blur) * 2
        p.inpainting_mask_invert = 0
        p.inpainting_fill = CONTENTS.index(content) if content in CONTENTS else int(content)
        layers = layers_of(picture, growth, int(mask_blur))
        try:
            canvas, mask, latent_mask = (images.split_grid(layer, p.width, p.height, int(pixels)) for layer in layers)
        except ValueError:
            raise errors.UserError(f"{pixels} px to expand are too many for tiles of {p.width}x{p.height} px.",
                                   remedy="Expand by fewer pixels, or choose a larger width and height.") from None
        tiles, touching = tiles_of(canvas), places_with_border(canvas, growth)
        masks = list(zip(tiles_of(mask), tiles_of(latent_mask)))
        shared.state.job_count = len(touching)
        pieces = made_anew(p, [tiles[place] for place in touching], [masks[place] for place in touching])
        results = Gathered()
        if pieces.first is not None:
            for place, piece in zip(touching, pieces.pictures):
                tiles[place] = piece
            whole = images.combine_grid(replaced(canvas, tiles))
            save_picture(p, whole, pieces.infotext)
            results.add_picture(whole, pieces.infotext, pieces.first)
        return results.processed(p)


def layers_of(picture, growth, blur):
    """The canvas with the picture in it, the mask of its border, and that of the latents."""
    size = (growth.width, growth.height)
    canvas = Image.new("RGB", size)
    canvas.paste(picture, (growth.left, growth.up))
    return canvas, hole_around(size, growth, blur * 2), hole_around(size, growth, blur // 2)


def places_with_border(grid, growth):
    """Numbers of the tiles, row by row, that do not lie wholly in the old picture."""
    boxes = [(x, y, x + width, y + height) for y, height, row in grid.tiles for x, width, _ in row]
    return [place for place, (x, y, right, bottom) in enumerate(boxes)
            if x < growth.left or y < growth.up or right > grid.image_w - growth.right or bottom > grid.image_h - growth.down]
