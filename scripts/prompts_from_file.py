"""Prompts from file or textbox: one job for each line, with options where a line has them."""
from modules import errors, processing, scripts, sd_samplers
from modules.shared import state
from scripts.parts.prompt_lines import entries
from scripts.parts.results import Gathered, own_copy, stopped

MOST_NAMED = 3


class Script(scripts.Script):
    """Lines are put before or after the prompt of the form; `--` options replace values of the form for their line."""

    def title(self):
        return "Prompts from file or textbox"

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        with gr.Row():
            iterates = gr.Checkbox(False, label="Iterate seed every line", elem_id=self.elem_id("checkbox_iterate"))
            same_seed = gr.Checkbox(False, label="Use same random seed for all lines", elem_id=self.elem_id("checkbox_iterate_batch"))
        position = gr.Radio(["start", "end"], value="start", label="Insert prompts at the", elem_id=self.elem_id("prompt_position"))
        lines = gr.Textbox("", label="List of prompt inputs", lines=3, max_lines=20, elem_id=self.elem_id("prompt_txt"))
        file = gr.File(label="Upload prompt inputs", type="binary", file_types=[".txt", ".csv", ".json"], height=110,
                       elem_id=self.elem_id("file"))
        file.upload(lambda content: text_of(content), inputs=[file], outputs=[lines], show_progress="hidden")
        return [iterates, same_seed, position, lines]

    def run(self, p, iterates, same_seed, position, lines):
        jobs, problems = entries(lines)
        if not jobs:
            raise errors.UserError("There are no prompts.", problems[0] if problems else "The list of prompt inputs is empty.",
                                   "Write one prompt into each line.")
        for problem in problems:
            p.comment(problem)
        p.do_not_save_grid = True
        if iterates or same_seed:
            processing.fix_seed(p)
        runs = [run_of(p, options, position) for options in jobs]
        state.job_count = sum(run.n_iter for run in runs)
        gathered, seed = Gathered(), p.seed
        for number, run in enumerate(runs, 1):
            if stopped():
                break
            state.job = f"Line {number} of {len(runs)}"
            if iterates and run.seed == p.seed:
                run.seed = seed
            seed += run.batch_size * run.n_iter
            gathered.add(processing.process_images(run))
        return gathered.processed(p)

    def planned(self, p, _iterates, _same_seed, position, lines):
        """What the run will make, and what of the list it will not understand, in sentences."""
        jobs, problems = entries(lines)
        runs = [run_of(p, options, position) for options in jobs]
        count = sum(run.n_iter * run.batch_size for run in runs)
        return "\n".join([f"{len(runs)} line{'s' * (len(runs) != 1)}, {count:,} picture{'s' * (count != 1)}.", *problems[:MOST_NAMED]])


def text_of(content):
    """The text of an uploaded file, whatever its encoding."""
    try:
        return (content or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def run_of(p, options, position):
    """A copy of `p` with the options of one line."""
    run, options = own_copy(p), dict(options)
    if checkpoint := options.pop("sd_model", None):
        run.override_settings["sd_model_checkpoint"] = checkpoint
    if sampler := options.pop("sampler_name", None):
        run.sampler_name, run.scheduler = sd_samplers.get_sampler_and_scheduler(sampler, p.scheduler)
    if (index := options.pop("sampler_index", None)) is not None:
        run.sampler_name = sd_samplers.samplers[index].name
    for field in ("prompt", "negative_prompt"):
        if field in options:
            options[field] = joined(options[field], getattr(p, field), position)
    for name, value in options.items():
        setattr(run, name, value)
    return run


def joined(text, main, position):
    """The text of a line at the start or the end of the form's text."""
    if not main:
        return text
    return f"{text} {main}" if position == "start" else f"{main} {text}"
