"""SD upscale: the picture is enlarged, then gone over by img2img tile by tile."""
from modules import errors, images, processing, scripts, shared
from scripts.parts.results import Gathered, save_picture, stopped
from scripts.parts.tiles import made_anew, replaced, tiles_of

ADVICE = "The picture is enlarged by the factor, and every tile of the size of Width and Height is made anew at a low denoising strength."


class Script(scripts.Script):
    """Tiles overlap and fade into each other; batch size is the number of tiles made at a time."""

    def title(self):
        return "SD upscale"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        info = gr.HTML(f"<p>{ADVICE}</p>")
        overlap = gr.Slider(0, 256, value=64, step=16, label="Tile overlap", elem_id=self.elem_id("overlap"))
        factor = gr.Slider(1, 4, value=2.0, step=0.05, label="Scale Factor", elem_id=self.elem_id("scale_factor"))
        names = [row.name for row in shared.sd_upscalers]
        upscaler = gr.Radio(names, value=names[0], type="index", label="Upscaler", elem_id=self.elem_id("upscaler_index"))
        return [info, overlap, upscaler, factor]

    def run(self, p, _info, overlap, upscaler, factor):
        processing.fix_seed(p)
        row = chosen_upscaler(upscaler)
        grid = split(enlarged(p, row, factor), p, int(overlap))
        p.extra_generation_params |= {"SD upscale overlap": overlap, "SD upscale upscaler": row.name}
        if p.image_mask is not None:
            p.image_mask = None
            p.comment("SD upscale works on the whole picture; the mask was not used.")
        tiles, count, seed = tiles_of(grid), p.n_iter, p.seed
        shared.state.job_count = count * -(-len(tiles) // p.batch_size)
        results = Gathered()
        for number in range(count):
            if stopped():
                break
            p.seed = seed + number
            pieces = made_anew(p, tiles)
            if pieces.first is None:
                break
            whole = images.combine_grid(replaced(grid, pieces.pictures))
            save_picture(p, whole, pieces.infotext)
            results.add_picture(whole, pieces.infotext, pieces.first)
        return results.processed(p)


def chosen_upscaler(wanted):
    """The upscaler at this place of the list, or of this name. Raises UserError."""
    rows = shared.sd_upscalers
    found = [row for place, row in enumerate(rows) if wanted == place or str(wanted).lower() == row.name.lower()]
    if not found:
        raise errors.UserError(f"There is no upscaler {wanted!r}.", remedy=f"Choose one of: {', '.join(row.name for row in rows)}.")
    return found[0]


def enlarged(p, upscaler, factor):
    """The picture of the form, larger."""
    picture = images.flatten(p.init_images[0], shared.opts.img2img_background_color)
    return picture if upscaler.name == "None" else upscaler.scaler.upscale(picture, factor, upscaler.data_path)


def split(picture, p, overlap):
    """The picture in tiles of the form's size. Raises UserError when the overlap leaves nothing of them."""
    try:
        return images.split_grid(picture, p.width, p.height, overlap)
    except ValueError:
        raise errors.UserError(f"A tile overlap of {overlap} px is too large for tiles of {p.width}x{p.height} px.",
                               remedy="Choose a smaller overlap, or a larger width and height.") from None
