"""Dynamic prompts: the prompt is a template that becomes another text for every picture."""
import itertools
import random
from pathlib import Path

from easel_dynamic_prompts.resolve import Resolver, combinations
from easel_dynamic_prompts.template import TemplateError, is_template, parse
from easel_dynamic_prompts.wildcards import WildcardFiles

from modules import scripts
from modules.paths import data_path

MOST_COMBINATIONS = 10_000
LABELS = PROMPT, NEGATIVE, HIRES, HIRES_NEGATIVE = "Template", "Negative template", "Hires template", "Hires negative template"
FILES = WildcardFiles(Path(data_path) / "wildcards")


class Script(scripts.Script):
    """Resolves __wildcards__, {a|b} choices and ${variables} of prompt and negative prompt, seeded by each picture's seed."""

    is_done_when_replayed = True

    def title(self):
        return "Dynamic Prompts"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        with gr.Accordion("Dynamic Prompts", open=False, elem_id=self.elem_id("accordion")):
            enabled = gr.Checkbox(True, label="Resolve wildcards and choices", elem_id=self.elem_id("enabled"), interactive=True)
            combinatorial = gr.Checkbox(False, label="All combinations instead of random ones", elem_id=self.elem_id("combinatorial"),
                                        interactive=True)
            most = gr.Slider(0, 1000, value=0, step=1, label="Most pictures (0 = all)", elem_id=self.elem_id("max_generations"),
                             interactive=True)
            passes = gr.Slider(1, 100, value=1, step=1, label="Combinatorial batches", interactive=True,
                               elem_id=self.elem_id("combinatorial_batches"))
            same = gr.Checkbox(False, label="Same text for the whole batch", elem_id=self.elem_id("same_for_batch"), interactive=True)
        return [enabled, combinatorial, most, passes, same]

    def process(self, p, enabled=True, combinatorial=False, most=0, passes=1, same=False):
        if not enabled:
            return
        separate = separate_lists(p)
        found = {label: texts for label, texts in separate.items() if any(is_template(text) for text in texts)}
        for label in LABELS:
            p.extra_generation_params.pop(label, None)  # of an earlier run with the same parameters
        p.extra_generation_params.update({label: texts[0] if len(set(texts)) == 1 else list(texts) for label, texts in found.items()})
        try:
            if combinatorial and PROMPT in found:
                set_combinations(p, p.all_prompts[0], int(most), int(passes))
                del separate[PROMPT]
            if found:
                resolve_each(p, [texts for label, texts in separate.items() if label in found], same)
        except TemplateError as error:
            p.comment(str(error))

    def wildcard_names(self):
        return FILES.names()

    def inspected(self, text):
        try:
            if not is_template(text):
                return text, []
            resolver = Resolver(FILES.lines, random.Random(0))
            example = resolver.text(parse(text))
        except TemplateError as error:
            return text, [str(error)]
        missing = [f"There is no wildcard file for __{name}__." for name in resolver.missing]
        return example, ["The prompt is a template; every picture gets another text. This is one of them.", *missing]


def separate_lists(p):
    """Infotext key -> list of texts of its own; a second pass without a prompt of its own follows the first by itself."""
    lists = {PROMPT: p.all_prompts, NEGATIVE: p.all_negative_prompts}
    if getattr(p, "enable_hr", False) and p.hr_prompt:
        lists[HIRES] = p.all_hr_prompts
    if getattr(p, "enable_hr", False) and p.hr_negative_prompt:
        lists[HIRES_NEGATIVE] = p.all_hr_negative_prompts
    return lists


def set_combinations(p, template, most, passes):
    """Replace the lists of `p` by one entry for each combination, `passes` times over with rising seeds."""
    limit = min(most or MOST_COMBINATIONS, MOST_COMBINATIONS)
    texts = list(itertools.islice(combinations(parse(template), FILES.lines), limit))
    count = len(texts) * passes
    p.all_prompts = texts * passes
    p.all_seeds = [p.all_seeds[0] + index for index in range(count)]
    p.all_subseeds = [p.all_subseeds[0] + index for index in range(count)]
    for others in separate_lists(p).values():
        if others is not p.all_prompts:
            others[:] = others[:1] * count
    p.n_iter = -(-count // p.batch_size)


def resolve_each(p, lists, same):
    """Resolve the texts in place; each picture draws from a generator of its own seed."""
    missing = []
    for index, seed in enumerate(p.all_seeds):
        if p.subseed_strength:
            seed = p.all_subseeds[index]
        resolver = Resolver(FILES.lines, random.Random(p.all_seeds[0] if same else seed))
        for texts in lists:
            texts[index] = resolver.text(parse(texts[index]))
        missing += resolver.missing
    for name in dict.fromkeys(missing):
        p.comment(f"There is no wildcard file for __{name}__; it stays in the prompt.")
