"""The plot of the present job on disk: begun, gone on with after a restart, and added to by further jobs."""
from pathlib import Path

from modules import errors, processing, runtime
from modules.generation import plots
from modules.generation.plots import Continuation, KeptAxis, KeptCell, PlotDescription
from scripts.plots import values


class Keeping:
    """Where a plot is kept, what of it is there already, and what is still to be made. Without a job nothing is kept."""

    def __init__(self, continues=""):
        rt = runtime.current()
        self.job, self.wish = rt.queue.current, Continuation.read(continues)
        self.folder = self.earlier = None
        if self.wish is not None:
            self.folder = plots.plot_folder(rt, self.wish.plot)
            self.earlier = self.folder.description()
            if self.job is None or self.job.owner != self.earlier.owner:
                raise errors.UserError("This plot belongs to somebody else.")
        elif self.job is not None:
            self.folder = plots.plot_folder(rt, self.job.folder_name)
            self.earlier = self.folder.description() if self.folder.exists else None

    @property
    def resumes(self):
        """Whether the job itself began the plot before the program was ended."""
        return self.wish is None and self.earlier is not None

    def settle_seeds(self, p, *, keeps_random):
        """Draw open seeds, or take those that were drawn when the plot began; pictures noted then keep their numbers."""
        if self.earlier is not None:
            p.seed, p.subseed = self.earlier.request["seed"], self.earlier.request["subseed"]
        elif not keeps_random:
            processing.fix_seed(p)
        if self.resumes and p.record is not None:
            p.record.count = 1 + max(p.finished, default=-1)

    def chosen(self, given):
        """Type, text and picked values of the axes, with seeds as they were drawn."""
        return [(axis.label, axis.text, []) for axis in self.earlier.axes] if self.resumes else given

    def begin(self, plot):
        """Write down what `plot` is made of, and hand it the cells that exist. Raises UserError where it does not continue the earlier."""
        if self.folder is None:
            return
        axes = [KeptAxis(letter=axis.letter, label=axis.option.label, text=text_of(axis), titles=titles_of(axis, plot.p))
                for axis in plot.axes]
        if self.earlier is not None:
            check_beginning(self.earlier.axes, axes)
        found = self.folder.cells() if self.earlier is not None else {}
        asked = self.wish.places if self.wish is not None else ()
        for place, known in found.items():
            if cell := plot.cells.get(place):
                cell.kept, cell.problem = known if Path(known.path).is_file() else None, known.problem
        plot.wanted = [place for place, cell in plot.cells.items() if (place in asked if asked else cell.kept is None)]
        self._try(plot.p, lambda: self.folder.describe(self._description(plot, axes)))

    def _description(self, plot, axes):
        first = self.earlier
        if first is None:
            request = plots.storable(self.job.request) | {"seed": plot.p.seed, "subseed": plot.p.subseed}
            first = PlotDescription(title=self.job.title, kind=self.job.kind, owner=self.job.owner, created=self.job.created,
                                    request=request, settings=plots.storable(self.job.settings), axes=axes)
        return PlotDescription(**{**vars(first), "axes": axes})

    def note(self, p, cell):
        """Write down a cell as soon as it is made or has failed."""
        if self.folder is not None:
            self._try(p, lambda: self.folder.add(self._kept(cell)))

    def _kept(self, cell):
        picture = cell.picture
        if picture is None:
            return KeptCell(place=cell.place, problem=cell.problem or "It was skipped.")
        infotext = cell.processed.infotexts[cell.processed.index_of_first_image]
        is_saved = getattr(picture, "is_saved", False)
        path = picture.already_saved_as if is_saved else self.folder.keep_picture(cell.place, picture, infotext)
        return KeptCell(place=cell.place, path=str(path), infotext=infotext, seed=cell.processed.seed, size=picture.size)

    def _try(self, p, write):
        try:
            write()
        except OSError as error:  # a full disk costs the grid that can be opened again, not the plot
            p.comment(f"The plot could not be kept for later: {error.strerror or error}.")


def text_of(axis):
    """The values of an axis as they go into its box again, with the seeds that were drawn."""
    return values.joined([str(value) for value in axis.values]) if axis.has_seeds else axis.text


def titles_of(axis, p):
    """One title for each value."""
    return [" ".join(line.text for line in lines) for lines in axis.titles(p)]


def check_beginning(earlier, now):
    """Raises UserError unless every axis begins with the values that it had."""
    for before, after in zip(earlier, now):
        if before.label != after.label or after.titles[:len(before.titles)] != before.titles:
            raise errors.UserError(f"The {before.letter} axis cannot be changed like that.", "A plot keeps the values that it has.",
                                   "Add values behind them, or make another plot.")
