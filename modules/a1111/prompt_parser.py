"""Prompts and encoded prompts under the names of A1111's `prompt_parser`."""
from modules import runtime
from modules.generation.conditions import encode_options
from modules.generation.script_conditions import (
    ComposableScheduledPromptConditioning,
    DictWithShape,
    MulticondLearnedConditioning,
    ScheduledPromptConditioning,
    conditions_of,
    old_form,
    reconstructed,
)
from modules.prompt.compose import split_and
from modules.prompt.encode import encode
from modules.prompt.parse import parse_emphasis
from modules.prompt.picture_facts import PictureFacts, with_facts
from modules.prompt.schedule import schedule


class SdConditioning(list):
    """Prompts with what SDXL is told beside them."""

    def __init__(self, prompts, is_negative_prompt: bool = False, width: int | None = None, height: int | None = None, copy_from=None):
        super().__init__(prompts)
        copy_from = prompts if copy_from is None else copy_from
        self.is_negative_prompt = is_negative_prompt or getattr(copy_from, "is_negative_prompt", False)
        self.width = width or getattr(copy_from, "width", None)
        self.height = height or getattr(copy_from, "height", None)


def parse_prompt_attention(text: str) -> list[list]:
    """[text, weight] pairs; ["BREAK", -1] begins a new chunk."""
    return [[piece, weight] for piece, weight in parse_emphasis(text)]


def get_learned_conditioning_prompt_schedules(prompts, base_steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False):
    """For each prompt the [last step, text] pairs of a pass."""
    return [[[end, text] for end, text in schedule(prompt, base_steps, hires_steps, use_old_scheduling)] for prompt in prompts]


def get_learned_conditioning(model, prompts, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False):
    """For each prompt its encoded texts by step; equal prompts are encoded once."""
    known: dict = {}
    for prompt, plan in zip(prompts, get_learned_conditioning_prompt_schedules(prompts, steps, hires_steps, use_old_scheduling)):
        if prompt not in known:
            encoded = _encoded(model, [text for _, text in plan], prompts)
            known[prompt] = [ScheduledPromptConditioning(end, old_form(cond)) for (end, _), cond in zip(plan, encoded)]
    return [known[prompt] for prompt in prompts]


def _encoded(model, texts: list[str], about) -> list:
    opts = runtime.current().settings
    found = encode(model.cond_stage_model, texts, encode_options(opts))
    size = model.native_size_px
    facts = PictureFacts(width=getattr(about, "width", None) or size, height=getattr(about, "height", None) or size,
                         guidance=7.0, crop_top=opts.sdxl_crop_top, crop_left=opts.sdxl_crop_left,
                         aesthetic_score=opts.sdxl_refiner_high_aesthetic_score,
                         negative_aesthetic_score=opts.sdxl_refiner_low_aesthetic_score)
    return with_facts(found, texts, facts, model.architecture, is_negative=getattr(about, "is_negative_prompt", False))


def get_multicond_prompt_list(prompts):
    """The AND parts of all prompts: for each prompt (place, weight) of its parts, all texts once, and text -> place."""
    indexes: list[list[tuple[int, float]]] = []
    places: dict[str, int] = {}
    for prompt in prompts:
        parts = split_and(prompt)
        indexes.append([(places.setdefault(text, len(places)), weight) for text, weight in parts])
    flat = SdConditioning(list(places), copy_from=prompts)
    return indexes, flat, places


def get_multicond_learned_conditioning(model, prompts, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False):
    """The same for prompts with AND."""
    indexes, flat, _ = get_multicond_prompt_list(prompts)
    learned = get_learned_conditioning(model, flat, steps, hires_steps, use_old_scheduling)
    batch = [[ComposableScheduledPromptConditioning(learned[place], weight) for place, weight in parts] for parts in indexes]
    return MulticondLearnedConditioning(shape=(len(prompts),), batch=batch)


def reconstruct_cond_batch(c, current_step: int):
    """What holds at a step for each text: [B, T, C], or a mapping of such."""
    return reconstructed(c, current_step)


def reconstruct_multicond_batch(c, current_step: int):
    """(for each prompt the (row, weight) of its parts, the rows of all parts) at a step."""
    positive = conditions_of(c, ()).positive
    rows: list = []
    owners = []
    for composed in positive:
        owners.append([(len(rows) + place, weight) for place, (_, weight) in enumerate(composed.parts)])
        rows += [scheduled for scheduled, _ in composed.parts]
    return owners, reconstructed(rows, current_step)


def stack_conds(tensors):
    """Texts of different lengths in one batch."""
    import torch

    from modules.prompt.conditioning import extended

    longest = max(tensor.shape[0] for tensor in tensors)
    return torch.cat([extended(tensor[None], longest) for tensor in tensors])
