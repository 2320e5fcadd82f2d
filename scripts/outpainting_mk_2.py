"""Outpainting mk2: borders that begin as noise like the picture itself, one side after the other."""
import numpy as np
from PIL import Image

from modules import images, processing, scripts, shared
from scripts.parts.matched_noise import with_matched_noise
from scripts.parts.outpainting import direction_control, growth_of
from scripts.parts.results import Gathered, grid_infotext, part_of, pictures_of, save_picture, sheet_of_all, stopped
from scripts.parts.tiles import fitted

ORIGINAL = 1  # masked content
LATENT_PX = 8
BLUR_FACTOR = 4  # the mask is blurred by this times the setting, across the edge
ADVICE = "Recommended: 80 to 100 sampling steps, Euler a, denoising strength 0.8."


class Script(scripts.Script):
    """Batch size is the number of pictures made side by side, batch count how often all of it is done."""

    def title(self):
        return "Outpainting mk2"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        info = gr.HTML(f"<p>{ADVICE}</p>")
        pixels = gr.Slider(8, 256, value=128, step=8, label="Pixels to expand", elem_id=self.elem_id("pixels"))
        blur = gr.Slider(0, 64, value=8, step=1, label="Mask blur", elem_id=self.elem_id("mask_blur"))
        directions = direction_control(gr, self.elem_id("direction"))
        fall_off = gr.Slider(0, 4, value=1.0, step=0.01, label="Fall-off exponent (lower=higher detail)", elem_id=self.elem_id("noise_q"))
        variation = gr.Slider(0, 1, value=0.05, step=0.01, label="Color variation", elem_id=self.elem_id("color_variation"))
        return [info, pixels, blur, directions, fall_off, variation]

    def run(self, p, _info, pixels, mask_blur, directions, fall_off, color_variation):
        processing.fix_seed(p)
        picture = images.flatten(p.init_images[0], shared.opts.img2img_background_color)
        sides = sides_of(growth_of(picture.size, int(pixels), directions))
        noise = lambda values, is_new: with_matched_noise(values, is_new, fall_off, color_variation)
        shared.state.job_count = p.n_iter * len(sides)
        results = Gathered()
        for number in range(p.n_iter):
            grown, first, infotext = [picture] * p.batch_size, None, ""
            for side in sides:
                if stopped():
                    break
                grown, one, processed = expanded(p, grown, side, int(mask_blur), noise, p.seed + number * p.batch_size)
                first, infotext = first or processed, infotext or grid_infotext(one)
            for one in grown if first else ():
                save_picture(p, one, infotext)
                results.add_picture(one, infotext, first)
        return results.processed(p, sheet_of_all(p, results))


def sides_of(growth):
    """(axis, whether the new part comes first, px) of each side that grows, in the order of making."""
    every = ((0, True, growth.left), (0, False, growth.right), (1, True, growth.up), (1, False, growth.down))
    return [side for side in every if side[2] > 0]


def expanded(p, pictures, side, blur, noise, seed):
    """The pictures grown on one side, the run that made them, and its result."""
    axis, comes_first, pixels = side
    size = [length + pixels * (place == axis) for place, length in enumerate(pictures[0].size)]
    canvas_size = tuple(-(-length // LATENT_PX) * LATENT_PX for length in size)
    corner = tuple(pixels if comes_first and place == axis else 0 for place in range(2))
    canvases = [canvas_of(picture, canvas_size, corner, noise) for picture in pictures]
    box = strip(canvas_size, (p.width, p.height)[axis], axis, comes_first, pixels + BLUR_FACTOR * blur)
    old = (*corner, *(place + length for place, length in zip(corner, pictures[0].size)))
    one = part_of(p)
    one.seed, one.batch_size, one.inpaint_full_res, one.inpainting_fill = seed, len(pictures), False, ORIGINAL
    one.inpainting_mask_invert = 0
    one.width, one.height = box[2] - box[0], box[3] - box[1]
    one.mask_blur_x, one.mask_blur_y = (blur * BLUR_FACTOR * (place == axis) for place in range(2))
    one.init_images = [canvas.crop(box) for canvas in canvases]
    one.image_mask = new_part(canvas_size, old, axis, comes_first, blur).crop(box)
    one.latent_mask = new_part(canvas_size, old, axis, comes_first, blur * 2).crop(box)
    processed = processing.process_images(one)
    for number, made in pictures_of(processed).items():
        canvases[number].paste(fitted(made, (one.width, one.height)), box[:2])
    return [canvas.crop((0, 0, *size)) for canvas in canvases], one, processed


def canvas_of(picture, size, corner, noise):
    """A picture on its larger canvas, the rest of which is noise."""
    values, is_new = np.zeros((size[1], size[0], 3)), np.ones((size[1], size[0]), dtype=bool)
    (x, y), (width, height) = corner, picture.size
    values[y:y + height, x:x + width] = np.asarray(picture) / 255
    is_new[y:y + height, x:x + width] = False
    return Image.fromarray((noise(values, is_new).clip(0, 1) * 255).round().astype(np.uint8))


def strip(size, length, axis, comes_first, least):
    """The box at the growing edge that is made: as long as the form says, but long enough for the new part and its soft edge."""
    length = min(size[axis], max(length, -(-least // LATENT_PX) * LATENT_PX))
    box = [0, 0, *size]
    box[axis + 2 if comes_first else axis] = length if comes_first else size[axis] - length
    return tuple(box)


def new_part(size, old, axis, comes_first, inset):
    """An L mask, white but for the old picture without `inset` px at the growing edge."""
    box = list(old)
    if comes_first:
        box[axis] = min(box[axis] + inset, box[axis + 2])
    else:
        box[axis + 2] = max(box[axis + 2] - inset, box[axis])
    mask = Image.new("L", size, "white")
    mask.paste(0, tuple(box))
    return mask
