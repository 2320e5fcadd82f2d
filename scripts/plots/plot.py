"""The cells of a plot: what each is made of, in which order they are made, and the sheets that show them."""
import itertools
import math
import textwrap
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from modules import devices, errors, processing, shared
from modules.generation.shared_passes import SharedPasses, is_of_later
from modules.images import GridAnnotation
from modules.jobs.outcome import is_out_of_memory, memory_sentence
from scripts.parts.results import Gathered, grid_infotext, own_copy, sheet, stopped
from scripts.plots import values
from scripts.plots.axes import AxisOption, str_permutations
from scripts.plots.planned import plot_cost

MOST_CELLS = 10_000
MOST_WORDS = 20  # whose orders are counted
FAILED, EMPTY = "#fbe9e7", "#ffffff"


@dataclass
class Axis:
    """One axis of a plot: what varies, through which values, and the text that they were written as."""

    letter: str
    option: AxisOption
    values: list = field(default_factory=lambda: [0])
    text: str = ""

    @property
    def varies(self):
        return self.option.label != "Nothing"

    @property
    def has_seeds(self):
        return self.option.label in ("Seed", "Var. seed")

    @property
    def is_of_later(self):
        """Whether the first pass is the same for all values."""
        apply = self.option.apply
        return is_of_later(getattr(apply, "field", ""), getattr(apply, "setting", ""))

    def titles(self, p):
        """One title for each value."""
        return [[GridAnnotation(self.option.format_value(p, self.option, value))] for value in self.values]

    def parameters(self, *, fixed):
        """What the infotext of the sheet says of the axis; `fixed`: open seeds were drawn."""
        if not self.varies:
            return {}
        drawn = {f"Fixed {self.letter} Values": ", ".join(map(str, self.values))} if self.has_seeds and fixed else {}
        return {f"{self.letter} Type": self.option.label, f"{self.letter} Values": self.text, **drawn}


def axis_of(letter, option, text, p, *, keeps_random=False):
    """The axis that varies `option` through the values written in `text`. Raises UserError for what cannot be understood."""
    axis = Axis(letter, option)
    if not axis.varies:
        return axis
    if not option.is_available:
        raise errors.UserError(f"{option.label} cannot be varied.", "This version has no setting for it.", "Choose another type.")
    try:
        axis.values, axis.text = _values_of(option, text), text
    except ValueError as error:
        raise errors.UserError(f"{letter} values: {error}.", remedy=f"Correct the values of {option.label}.") from error
    if not axis.values:
        raise errors.UserError(f"{letter} values are empty.", f"{option.label} has nothing to go through.",
                               "Write values, or choose Nothing.")
    if axis.has_seeds and not keeps_random:
        axis.values = [processing.get_fixed_seed(seed) for seed in axis.values]
    if option.confirm is not None:
        option.confirm(p, axis.values)
    return axis


def _values_of(option, text):
    if option.prepare is not None:
        return option.prepare(text)
    if option.type is str_permutations:
        words = values.split(text)
        if math.factorial(min(len(words), MOST_WORDS)) > MOST_CELLS:
            raise ValueError(f"{len(words)} words have more than {MOST_CELLS:,} orders")
        return list(itertools.permutations(words))
    found = values.parse(text, option.type)
    return [option.picked(value) for value in found] if option.type is str else found


@dataclass
class Cell:
    """One cell: its place along each axis, what was made of it now or by an earlier job (`kept`), or why nothing was."""

    place: tuple[int, int, int]
    processed: Any = None
    problem: str = ""
    kept: Any = None

    @property
    def is_made(self):
        """Whether there is a picture."""
        return self.picture is not None or bool(self.kept and self.kept.path)

    @property
    def picture(self):
        """The first picture of the batch that was made now, None where there is none."""
        pictures = self.processed.images[self.processed.index_of_first_image:] if self.processed else ()
        return pictures[0] if pictures else None


class Plot:
    """Makes every cell of three axes from copies of the run `p`. `vary_seeds`: which axes raise the seed from value to value."""

    def __init__(self, p, axes, vary_seeds=(False, False, False)):
        self.p, self.axes, self.vary_seeds = p, axes, vary_seeds
        self.size = tuple(len(axis.values) for axis in axes)
        self.cells = {place: Cell(place) for place in itertools.product(*map(range, self.size))}
        self.texts = {}  # place along Z -> (number of a cell, infotext), for the sheet at that place
        self.parameters = {}
        self.wanted = list(self.cells)  # places
        p.shared_passes = SharedPasses()  # copies of the run share it

    def work(self):
        """The cells in the order of making: values of a costly axis change as rarely as they can, those of a second pass most often."""
        outermost = sorted((2, 1, 0), key=lambda axis: (-self.axes[axis].option.cost, self.axes[axis].is_of_later))
        return sorted(self.cells.values(), key=lambda cell: [cell.place[axis] for axis in outermost])

    def number(self, place):
        """The place among all cells, row by row, sheet by sheet."""
        x, y, z = place
        return x + self.size[0] * (y + self.size[1] * z)

    def run_of(self, place):
        """A copy of the run with the values of this cell."""
        one = own_copy(self.p)
        one.do_not_save_grid = True
        for axis, index in zip(self.axes, place):
            axis.option.apply(one, axis.values[index], axis.values)
        if one.seed != -1:
            one.seed += self.raised_seed(place)
        return one

    def raised_seed(self, place):
        """How much the seed of a cell is raised: axes that do not vary it do not count."""
        raised, factor = 0, 1
        for index, size, varies in zip(place, self.size, self.vary_seeds):
            if varies:
                raised, factor = raised + index * factor, factor * size
        return raised

    def make(self, note=lambda p, cell: None):
        """Make the wanted cells until somebody stops it; `note` is told of each.

        A cell that fails keeps its error; raises the error when there is no cell.
        """
        state, last_error, wanted = shared.state, None, set(self.wanted)
        state.job_count = len(wanted) * self.p.n_iter
        self.p.shared_passes.expect(plot_cost(self).uses)
        for done, cell in enumerate((cell for cell in self.work() if cell.place in wanted), 1):
            if stopped():
                break
            state.job = f"Cell {done} of {len(wanted)}"
            cell.problem = ""
            try:
                self._make(cell)
            except Exception as error:  # whatever is wrong with one cell, the others are made
                last_error, cell.problem = error, problem_of(error, self.p)
                errors.report(f"The cell {self.name(cell)} failed", error)
                self.p.comment(f"The cell {self.name(cell)} failed: {cell.problem}")
                devices.torch_gc()
            if not stopped() or cell.picture is not None:
                note(self.p, cell)
        if last_error is not None and not any(cell.is_made for cell in self.cells.values()):
            raise last_error

    def _make(self, cell):
        one = self.run_of(cell.place)
        cell.processed = processing.process_images(one)
        z, number = cell.place[2], self.number(cell.place)
        if cell.picture is not None and number < self.texts.get(z, (number + 1, ""))[0]:
            self.texts[z] = number, grid_infotext(one, self.parameters)

    def name(self, cell):
        """What varies in a cell, in words."""
        titles = (axis.option.format_value(self.p, axis.option, axis.values[index]) for axis, index in zip(self.axes, cell.place))
        return ", ".join(filter(None, titles))

    def sheets(self, *, legend=True, margin=0):
        """One sheet per value of Z, then all of them side by side in front: (picture, infotext) each."""
        columns, rows, _ = self.size
        titles = (self.axes[0].titles(self.p), self.axes[1].titles(self.p)) if legend else None
        slices = []
        for z in range(self.size[2]):
            pictures = [self.picture_of(self.cells[x, y, z]) for y in range(rows) for x in range(columns)]
            slices.append(sheet(pictures, columns, titles=titles, margin=margin))
        first = min(self.texts.values(), default=(0, self.earliest_infotext()))[1]
        whole = slices[0]
        if len(slices) > 1:
            whole = sheet(slices, len(slices), titles=(self.axes[2].titles(self.p), [[]]) if legend else None, margin=margin)
        return [(whole, first), *((picture, self.texts.get(z, (0, first))[1]) for z, picture in enumerate(slices))]

    def earliest_infotext(self):
        """What is stored in the first cell that an earlier job made."""
        return next((cell.kept.infotext for cell in self.ordered() if cell.kept is not None and cell.kept.path), "")

    def ordered(self):
        """The cells row by row, sheet by sheet."""
        return sorted(self.cells.values(), key=lambda cell: self.number(cell.place))

    def picture_of(self, cell):
        """What the sheet shows of a cell: its picture, its error, or nothing."""
        if cell.picture is not None:
            return cell.picture
        if cell.kept is not None and cell.kept.path and not cell.problem:
            return cell.kept.picture()
        size = next((other.picture.size if other.picture else other.kept.size for other in self.cells.values() if other.is_made),
                    (self.p.width, self.p.height))
        return with_text(cell.problem, size, FAILED) if cell.problem else Image.new("RGB", size, EMPTY)

    def gathered(self):
        """The first picture of every cell that was made, in the order of the sheets."""
        found = Gathered()
        for cell in self.ordered():
            if cell.picture is not None:
                found.add(cell.processed, most=1)
            elif cell.is_made and not cell.problem:
                found.add_kept(cell.kept)
        return found


def problem_of(error, p):
    """What a failed cell says."""
    if is_out_of_memory(error):
        return memory_sentence({"width": p.width, "height": p.height, "batch_size": p.batch_size})
    return str(error) or type(error).__name__


def with_text(text, size, color):
    """A picture of this size with `text` on it."""
    picture = Image.new("RGB", size, color)
    letters = max(8, size[0] // 20)
    lines = textwrap.fill(text, max(4, int(size[0] * 1.8 / letters)))
    ImageDraw.Draw(picture).multiline_text((letters // 2, letters // 2), lines, fill="#b71c1c", font=ImageFont.load_default(letters))
    return picture
