"""Results of several runs of one script as one result, with grids in front."""
import copy
from dataclasses import replace

from modules import errors, images, processing, shared

MOST_PICTURES = 4096  # of a matrix


def own_copy(p):
    """A copy of the run `p` with dictionaries and lists of its own, so that what happens to it stays in it."""
    one = copy.copy(p)
    one.extra_generation_params = dict(p.extra_generation_params)
    one.override_settings = dict(p.override_settings)
    one.styles = list(p.styles)
    return one


def part_of(p):
    """A copy of the run `p` for parts of a picture: they are neither saved nor shown as pictures of the job."""
    one = own_copy(p)
    one.n_iter, one.do_not_save_samples, one.do_not_save_grid = 1, True, True
    if one.record is not None:
        one.record = replace(one.record, depth=one.record.depth + 1)  # like a run inside another one
    return one


def pictures_of(processed):
    """Number in its run -> picture; without grids, and without the masks that settings show beside pictures."""
    found = {}
    for place, picture in enumerate(processed.images[processed.index_of_first_image:]):
        found.setdefault(getattr(picture, "picture_index", place), picture)
    return found


def stopped():
    """Whether somebody wants the job to end."""
    return shared.state.interrupted or shared.state.stopping_generation


def save_picture(p, picture, infotext):
    """Save a picture that a script put together, as the settings say for samples; a full folder is said under the pictures."""
    if not shared.opts.samples_save or p.do_not_save_samples:
        return
    folder = p.outpath_samples or shared.opts.outdir_samples or shared.opts.outdir_img2img_samples
    try:
        images.save_image(picture, folder, "", p.seed, first_prompt(p), shared.opts.samples_format, info=infotext, p=p)
    except errors.UserError as error:
        p.comment(str(error))


def first_prompt(p):
    """The prompt of a run as one text."""
    return p.prompt[0] if isinstance(p.prompt, list) else p.prompt


class Gathered:
    """Pictures of several runs with their infotexts and seeds; grids of the single runs are left out."""

    def __init__(self):
        self.pictures, self.infotexts = [], []
        self.prompts, self.negative_prompts, self.seeds, self.subseeds = [], [], [], []
        self.checkpoint = None

    def add(self, processed, most=None):
        """Take over the pictures of one run, the first `most` of them."""
        skipped = processed.index_of_first_image
        self.checkpoint = self.checkpoint or processed
        for place, picture in enumerate(processed.images[skipped:][:most]):
            number = getattr(picture, "picture_index", place)  # a skipped batch leaves a gap
            self.pictures.append(picture)
            self.infotexts.append(processed.infotexts[place + skipped])
            for whole, single in ((self.prompts, processed.all_prompts), (self.negative_prompts, processed.all_negative_prompts),
                                  (self.seeds, processed.all_seeds), (self.subseeds, processed.all_subseeds)):
                whole.append(single[min(number, len(single) - 1)])

    def add_kept(self, kept):
        """Take over a cell of a plot (modules.generation.plots) that an earlier job made."""
        self.pictures.append(kept.picture())
        self.infotexts.append(kept.infotext)
        self.prompts.append("")
        self.negative_prompts.append("")
        self.seeds.append(-1 if kept.seed is None else kept.seed)
        self.subseeds.append(-1)

    def add_picture(self, picture, infotext, processed):
        """Take over a picture that was put together, the first part of which was made by the run of `processed`."""
        self.add(processed, most=1)
        self.pictures[-1], self.infotexts[-1] = picture, infotext

    def processed(self, p, grids=()):
        """The result: `grids`, (picture, infotext) each, then all pictures."""
        texts = [text for _, text in grids] + self.infotexts
        seed, subseed = (self.seeds[0], self.subseeds[0]) if self.seeds else (-1, None)
        result = processing.Processed(
            p, [picture for picture, _ in grids] + self.pictures, seed, texts[0] if texts else "", subseed, infotexts=texts,
            all_prompts=self.prompts, all_negative_prompts=self.negative_prompts, all_seeds=self.seeds, all_subseeds=self.subseeds,
            index_of_first_image=len(grids))
        if self.checkpoint is not None:  # the runs were made of copies, and `p` itself never had one
            result.sd_model_name, result.sd_model_hash = self.checkpoint.sd_model_name, self.checkpoint.sd_model_hash
        result.interrupted = shared.state.interrupted
        return result


def sheet(cells, columns, *, titles=None, margin=0):
    """All `cells` on one sheet with this number of columns, under the `titles` of columns and rows."""
    rows = -(-len(cells) // columns)
    grid = images.image_grid(cells, rows=rows)
    across, down = titles or ([[]] * columns, [[]] * rows)
    return images.draw_grid_annotations(grid, grid.width // columns, grid.height // rows, across, down, margin)


def sheet_of_all(p, gathered):
    """All pictures side by side with their infotext, in a list; saved. Empty where there is one picture or sheets are not wanted."""
    if len(gathered.pictures) < 2 or not shared.opts.return_grid:
        return []
    grid = sheet(gathered.pictures, len(gathered.pictures))
    save_grid(p, grid, gathered.infotexts[0], "grid")
    return [(grid, gathered.infotexts[0])]


def grid_infotext(p, parameters=None):
    """The infotext of a sheet of pictures of the run `p`, with further `parameters`."""
    one = own_copy(p)
    one.extra_generation_params |= parameters or {}
    return processing.create_infotext(one, one.all_prompts, one.all_seeds, one.all_subseeds, index=0, use_main_prompt=True,
                                      all_negative_prompts=one.all_negative_prompts)


def save_grid(p, grid, infotext, basename):
    """Save a grid where the settings ask for it. A folder that cannot take it is said under the pictures; the grid is shown anyway."""
    if not shared.opts.grid_save or p.do_not_save_grid:
        return
    try:
        images.save_image(grid, p.outpath_grids or shared.opts.outdir_grids or _usual_folder(p), basename, info=infotext, grid=True, p=p,
                          extension=shared.opts.grid_format, short_filename=not shared.opts.grid_extended_filename)
    except errors.UserError as error:
        p.comment(str(error))


def _usual_folder(p):
    return getattr(shared.opts, "outdir_img2img_grids" if p.is_img2img else "outdir_txt2img_grids")
