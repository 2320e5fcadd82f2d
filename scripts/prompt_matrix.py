"""Prompt matrix: every combination of the optional parts of a prompt, on one sheet."""
from PIL import Image

from modules import errors, processing, scripts
from modules.images import GridAnnotation
from scripts.parts.results import MOST_PICTURES, Gathered, grid_infotext, save_grid, sheet

JOINING = {"comma": ", ", "space": " "}


class Script(scripts.Script):
    """The prompt "a|b|c" gives a; a, b; a, c; a, b, c."""

    def title(self):
        return "Prompt matrix"

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        with gr.Row():
            put_at_start = gr.Checkbox(False, label="Put variable parts at start of prompt", elem_id=self.elem_id("put_at_start"))
            different_seeds = gr.Checkbox(False, label="Use different seed for each picture", elem_id=self.elem_id("different_seeds"))
        with gr.Row():
            prompt_type = gr.Radio(["positive", "negative"], value="positive", label="Select prompt", elem_id=self.elem_id("prompt_type"))
            delimiter = gr.Radio(list(JOINING), value="comma", label="Select joining char", elem_id=self.elem_id("variations_delimiter"))
        margin = gr.Slider(0, 500, value=0, step=2, label="Grid margins (px)", elem_id=self.elem_id("margin_size"))
        return [put_at_start, different_seeds, prompt_type, delimiter, margin]

    def run(self, p, put_at_start, different_seeds, prompt_type, delimiter, margin):
        field = "negative_prompt" if prompt_type == "negative" else "prompt"
        given = getattr(p, field)
        parts = parts_of(given[0] if isinstance(given, list) else given)
        check_count(parts)
        texts = combinations(parts, JOINING.get(delimiter, ", "), put_at_start)
        processing.fix_seed(p)
        others_field = "prompt" if field == "negative_prompt" else "negative_prompt"
        setattr(p, field, texts)
        setattr(p, others_field, [getattr(p, others_field)] * len(texts))
        p.seed = [p.seed + number * different_seeds for number in range(len(texts))]
        p.n_iter = -(-len(texts) // p.batch_size)
        saves_grid, p.do_not_save_grid = not p.do_not_save_grid, True
        made = processing.process_images(p)
        p.do_not_save_grid = not saves_grid
        return with_grid(p, made, parts, int(margin))

    def planned(self, p, _at_start, _different_seeds, prompt_type, *_):
        """What the run will make, in a sentence."""
        parts = parts_of(p.negative_prompt if prompt_type == "negative" else p.prompt)
        check_count(parts)
        count = 2 ** (len(parts) - 1)
        return f"{len(parts) - 1} optional part{'s' * (len(parts) != 2)}: {count:,} picture{'s' * (count != 1)}."


def parts_of(prompt):
    """The part that is always used, and the optional ones, without outer spaces and commas."""
    return [part.strip(" ,\n\t") for part in prompt.split("|")]


def check_count(parts):
    """Raises UserError for more pictures than anybody wants to wait for."""
    if 2 ** (len(parts) - 1) > MOST_PICTURES:
        raise errors.UserError(f"The prompt has {len(parts) - 1} optional parts, which make {2 ** (len(parts) - 1):,} pictures.",
                               f"The most are {MOST_PICTURES:,}.", "Leave parts out.")


def combinations(parts, joining, at_start):
    """The 2**n prompts; number c uses optional part k where bit k of c is set."""
    first, optional = parts[0], parts[1:]
    texts = []
    for number in range(2 ** len(optional)):
        chosen = [part for bit, part in enumerate(optional) if number >> bit & 1]
        texts.append(joining.join(filter(None, [*chosen, first] if at_start else [first, *chosen])))
    return texts


def titles(parts):
    """Titles of columns and rows: the first half of the parts changes from column to column, the rest from row to row."""
    across = (len(parts) + 1) // 2
    named = lambda chosen: [[GridAnnotation(part, is_active=bool(number >> bit & 1)) for bit, part in enumerate(chosen)]
                            for number in range(2 ** len(chosen))]
    return named(parts[:across]), named(parts[across:])


def with_grid(p, made, parts, margin):
    """The result with its sheet in front. Pictures that were not made, since the job was stopped, are blank."""
    gathered = Gathered()
    gathered.add(made)
    if not gathered.pictures:
        return made
    columns, rows = titles(parts[1:])
    cells = [Image.new("RGB", gathered.pictures[0].size, "white")] * (len(columns) * len(rows))
    for place, picture in enumerate(gathered.pictures):
        cells[getattr(picture, "picture_index", place)] = picture
    grid = sheet(cells, len(columns), titles=(columns, rows), margin=margin)
    infotext = grid_infotext(p)
    save_grid(p, grid, infotext, "prompt_matrix")
    return gathered.processed(p, [(grid, infotext)])
