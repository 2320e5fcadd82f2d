"""The controls of the X/Y/Z plot."""
from dataclasses import dataclass

import gradio as gr

from scripts.plots import values

QUIET = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
SWAPPED = (("X", "Y"), ("Y", "Z"), ("X", "Z"))


@dataclass(frozen=True, kw_only=True)
class AxisControls:
    """Type, value box, list of values and fill button of one axis."""

    letter: str
    kind: gr.Dropdown
    text: gr.Textbox
    picked: gr.Dropdown
    fill: gr.Button

    @property
    def inputs(self):
        """Those whose values the script is given."""
        return [self.kind, self.text, self.picked]


@dataclass(frozen=True, kw_only=True)
class PlotControls:
    """All inputs of the script in their order, and what an infotext fills."""

    inputs: list
    infotext_fields: list


class _Axes:
    """What the handlers of events know: the axes on offer."""

    def __init__(self, axes):
        self.axes = axes

    @property
    def choices(self):
        """Label and place of every axis that this program can vary."""
        return [(axis.label, place) for place, axis in enumerate(self.axes) if axis.is_available]

    def picks(self, kind, csv_mode):
        """Whether values of this axis are picked from a list."""
        return self.axes[kind or 0].choices is not None and not csv_mode

    def shown(self, kind, text, picked, csv_mode):
        """Changes to value box, list and fill button after the type or the way of input is another one; values move along."""
        axis, picks = self.axes[kind or 0], self.picks(kind, csv_mode)
        choices = [str(choice) for choice in axis.choices()] if axis.choices else []
        kept = [value for value in picked or values.split(text or "") if value in choices]
        written = text if picks or not picked or not csv_mode else values.joined(picked)
        varies = axis.label != "Nothing"
        return (gr.update(visible=varies and not picks, value=written),
                gr.update(visible=picks, choices=choices, value=kept if picks else []),
                gr.update(visible=axis.choices is not None))

    def swapped(self, *values):
        """Changes to type, value box, list and fill button of two axes that change places; `values` are theirs and the way of input."""
        *both, csv_mode = values
        one, other = both[:3], both[3:]
        changes = []
        for kind, text, picked in (other, one):
            text_change, picked_change, fill_change = self.shown(kind, text, picked, csv_mode)
            changes += [kind, text_change, picked_change, fill_change]
        return changes

    def filled(self, kind, csv_mode):
        """Changes to value box and list that put all values in."""
        choices = [str(choice) for choice in self.axes[kind or 0].choices()] if self.axes[kind or 0].choices else []
        return (gr.skip(), choices) if self.picks(kind, csv_mode) else (values.joined(choices), gr.skip())

    def pasted(self, parsed, letter):
        """Changes to the controls of one axis after an infotext was read."""
        kind = self.place_of(parsed.get(f"{letter} Type", "Nothing")) or 0
        return gr.update(value=kind), *self.shown(kind, parsed.get(f"{letter} Values", ""), [], csv_mode=False)

    def place_of(self, label):
        """Where an axis of this name is in the list, None when it is not."""
        return next((place for place, axis in enumerate(self.axes) if axis.label == label), None)


def plot_controls(axes, elem_id):
    """Build the controls in the current page; `elem_id(item)` gives their element ids."""
    known = _Axes(axes)
    rows = [_axis_controls(known, letter, elem_id) for letter in "XYZ"]
    with gr.Row():
        swaps = [gr.Button(f"Swap {a}/{b} axes", size="sm", elem_id=elem_id(f"swap_{a}{b}_axes".lower())) for a, b in SWAPPED]
    with gr.Row():
        legend = gr.Checkbox(True, label="Draw legend", elem_id=elem_id("draw_legend"))
        keep_random = gr.Checkbox(False, label="Keep -1 for seeds", elem_id=elem_id("no_fixed_seeds"))
    with gr.Row():
        vary = [gr.Checkbox(False, label=f"Vary seeds for {letter}", elem_id=elem_id(f"vary_seeds_{letter.lower()}")) for letter in "XYZ"]
    with gr.Row():
        lone = gr.Checkbox(False, label="Include Sub Images", elem_id=elem_id("include_lone_images"))
        sub_grids = gr.Checkbox(False, label="Include Sub Grids", elem_id=elem_id("include_sub_grids"))
        csv_mode = gr.Checkbox(False, label="Use text inputs instead of dropdowns", elem_id=elem_id("csv_mode"))
    with gr.Row():
        gr.Button("Earlier plots", size="sm", scale=0, min_width=140, elem_id=elem_id("history"))
    margin = gr.Slider(0, 500, value=0, step=2, label="Grid margins (px)", elem_id=elem_id("margin_size"))
    # Which plot the job adds to, and what: written by the grid of a plot, never by hand.
    continues = gr.Textbox("", visible=False, elem_id=elem_id("continues"))
    inputs = [control for row in rows for control in row.inputs]
    _connect(known, rows, csv_mode, swaps)
    return PlotControls(inputs=[*inputs, legend, lone, sub_grids, keep_random, *vary, margin, csv_mode, continues],
                        infotext_fields=_infotext_fields(known, rows))


def _axis_controls(known, letter, elem_id):
    start = known.place_of("Seed") if letter == "X" else 0
    item = lambda name: elem_id(f"{letter.lower()}_{name}")
    with gr.Row():
        kind = gr.Dropdown(known.choices, value=start, label=f"{letter} type", scale=2, elem_id=item("type"))
        text = gr.Textbox("", label=f"{letter} values", lines=1, scale=4, elem_id=item("values"), visible=bool(start))
        # Its choices follow the type, of which gradio's check of values knows nothing; wrong names are refused before the run.
        picked = gr.Dropdown([], value=[], multiselect=True, allow_custom_value=True, label=f"{letter} values", scale=4, visible=False,
                             elem_id=item("values_dropdown"))
        fill = gr.Button("All", size="sm", scale=0, min_width=48, elem_id=item("fill"), visible=False)
    return AxisControls(letter=letter, kind=kind, text=text, picked=picked, fill=fill)


def _connect(known, rows, csv_mode, swaps):
    for row in rows:
        changed = [row.text, row.picked, row.fill]
        row.kind.input(known.shown, [*row.inputs, csv_mode], changed, **QUIET)  # by hand: a swap or an infotext brings its own values
        csv_mode.change(known.shown, [*row.inputs, csv_mode], changed, **QUIET)
        row.fill.click(known.filled, [row.kind, csv_mode], [row.text, row.picked], **QUIET)
    by_letter = {row.letter: row for row in rows}
    for button, (one, other) in zip(swaps, SWAPPED):
        first, second = by_letter[one], by_letter[other]
        changed = [*first.inputs, first.fill, *second.inputs, second.fill]
        button.click(known.swapped, [*first.inputs, *second.inputs, csv_mode], changed, **QUIET)


def _infotext_fields(known, rows):
    """What an infotext fills: for each axis type, value box, list and fill button; without a plot in it they stay as they are."""
    fields = []
    for row in rows:
        fields.append((row.kind, lambda parsed, letter=row.letter: _in_plot(parsed, known.pasted(parsed, letter)[0])))
        for place, control in enumerate((row.text, row.picked, row.fill), 1):
            fields.append((control, lambda parsed, letter=row.letter, place=place: _in_plot(parsed, known.pasted(parsed, letter)[place])))
    return fields


def _in_plot(parsed, change):
    return change if any(f"{letter} Type" in parsed for letter in "XYZ") else None
