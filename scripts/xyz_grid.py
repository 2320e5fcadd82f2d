"""X/Y/Z plot: one picture for every combination of values along up to three axes, on one sheet."""
import math

from modules import errors, processing, scripts
from modules.errors import UserError
from scripts.parts.results import save_grid
from scripts.plots import planned, values

# names that extensions expect here
from scripts.plots.axes import (  # noqa: F401
    AxisOption,
    AxisOptionImg2Img,
    AxisOptionTxt2Img,
    apply_field,
    apply_order,
    apply_override,
    apply_prompt,
    boolean_choice,
    confirm_checkpoints,
    confirm_range,
    confirm_samplers,
    do_nothing,
    format_nothing,
    format_remove_path,
    format_value,
    format_value_add_label,
    format_value_join_list,
    str_permutations,
)
from scripts.plots.axis_table import axis_options
from scripts.plots.further_axes import script_axes, setting_axes
from scripts.plots.kept import Keeping
from scripts.plots.plot import MOST_CELLS, Plot, axis_of

LETTERS = "XYZ"


def offered(is_img2img):
    """The axes of a tab: those of the table and of extensions, then all other settings and controls of scripts."""
    listed = [axis for axis in axis_options if axis.fits(is_img2img)]
    return [*listed, *setting_axes(axis_options), *script_axes(is_img2img)]


class Script(scripts.Script):
    """Runs a copy of the request for each cell; cells are saved as they are made."""

    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        from scripts.plots.page import plot_controls  # here, since a server without a page starts sooner without gradio

        self.current_axis_options = offered(is_img2img)
        controls = plot_controls(self.current_axis_options, self.elem_id)
        self.infotext_fields = controls.infotext_fields
        return controls.inputs

    def run(self, p, x_type, x_values, x_picked, y_type, y_values, y_picked, z_type, z_values, z_picked, draw_legend, include_lone_images,
            include_sub_grids, no_fixed_seeds, vary_seeds_x, vary_seeds_y, vary_seeds_z, margin_size, csv_mode, continues=""):
        keeping = Keeping(continues)
        keeping.settle_seeds(p, keeps_random=no_fixed_seeds)
        chosen = keeping.chosen(((x_type, x_values, x_picked), (y_type, y_values, y_picked), (z_type, z_values, z_picked)))
        axes = self.axes(p, chosen, csv_mode or keeping.resumes, keeps_random=no_fixed_seeds)
        plot = Plot(p, axes, (vary_seeds_x, vary_seeds_y, vary_seeds_z))
        keeping.begin(plot)
        plot.parameters = {"Script": self.title()}
        for axis in axes:
            plot.parameters |= axis.parameters(fixed=not no_fixed_seeds)
        plot.make(keeping.note)
        return result_of(plot, legend=draw_legend, margin=int(margin_size), with_cells=include_lone_images, with_sheets=include_sub_grids)

    def planned(self, p, *args):
        """Cells, pictures, evaluations and time, or what is wrong with the values."""
        *chosen, _legend, _cells, _sheets, no_fixed_seeds, vary_x, vary_y, vary_z, _margin, csv_mode, _continues = args
        if not no_fixed_seeds:
            processing.fix_seed(p)
        axes = self.axes(p, zip(*[iter(chosen)] * 3), csv_mode, keeps_random=no_fixed_seeds)
        counts = [len(axis.values) for axis in axes if axis.varies]
        return planned.sentences(planned.plot_cost(Plot(p, axes, (vary_x, vary_y, vary_z))), counts)

    def continued(self, args, labels, texts, continues):
        """The values of the controls for a further job of a plot: `args` with other values on its axes, and what is to be made."""
        axes = [value for label, text in zip(labels, texts) for value in (label, text, [])]
        return [*axes, *args[len(axes):-2], True, continues]

    def axes(self, p, chosen, csv_mode, *, keeps_random):
        """The three axes from type, text and picked values of each. Raises UserError, also for too many cells."""
        axes = [self.axis(p, letter, *one, csv_mode, keeps_random) for letter, one in zip(LETTERS, chosen)]
        check_size(axes)
        return axes

    def axis(self, p, letter, number, text, picked, csv_mode, keeps_random):
        """One axis from its controls. `number` is a place in the list of types, or a name in it."""
        known = getattr(self, "current_axis_options", None) or offered(self.is_img2img)
        option = next((axis for axis in known if axis.label == number), None) if isinstance(number, str) else known[int(number or 0)]
        if option is None:
            raise UserError(f"{letter} type {number!r} is not known.", remedy="Choose one from the list.")
        if option.choices is not None and picked and not csv_mode:
            text = values.joined(picked)
        return axis_of(letter, option, text or "", p, keeps_random=keeps_random)


def check_size(axes):
    """Raises UserError for more cells than anybody wants to wait for."""
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_CELLS:
        raise UserError(f"The plot has {count:,} cells.", f"The most are {MOST_CELLS:,}.", "Leave values out.")


def result_of(plot, *, legend, margin, with_cells, with_sheets):
    """The whole sheet, the sheets along Z and the single cells, as far as they are wanted; sheets are saved."""
    gathered = plot.gathered()
    if not gathered.pictures:
        return gathered.processed(plot.p)
    try:
        whole, *sheets = plot.sheets(legend=legend, margin=margin)
    except (MemoryError, OSError, ValueError) as error:  # too large to draw: the cells are there all the same
        errors.report("The sheet of the plot could not be drawn", error)
        plot.p.comment(f"The sheet could not be drawn: {str(error) or 'there was not enough memory'}. Its cells are shown one by one.")
        return gathered.processed(plot.p)
    wanted = [whole, *(sheets if with_sheets else [])]
    for picture, infotext in [whole] if len(sheets) == 1 else wanted:
        save_grid(plot.p, picture, infotext, "xyz_grid")
    if not with_cells:
        gathered.pictures.clear()  # infotexts and seeds of the cells stay, for API clients
    return gathered.processed(plot.p, wanted)
