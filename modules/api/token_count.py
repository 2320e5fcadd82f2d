"""The token counter beside the prompt boxes."""
from functools import cache
from typing import Any

from modules import extra_networks
from modules.nn.tokenizer import ClipTokenizer
from modules.prompt.chunks import chunked, limit_for
from modules.prompt.compose import split_and
from modules.prompt.parse import strip_comments
from modules.prompt.schedule import schedule
from modules.runtime import Runtime

MAX_TEXT_CHARS = 50_000
MAX_STEPS = 1000


@cache
def tokenizer() -> ClipTokenizer:
    return ClipTokenizer()


def token_count(rt: Runtime, text: str, steps: int, styles: list[str], is_positive: bool) -> dict[str, int]:
    """Tokens of the longest text that the prompt has at any step, and the places of the chunks that they need."""
    if rt.settings.include_styles_into_token_counters and styles:
        apply = rt.styles.apply_to_prompt if is_positive else rt.styles.apply_to_negative_prompt
        text = apply(text, styles)
    if rt.settings.enable_prompt_comments:
        text = strip_comments(text)
    text, _ = extra_networks.parse(text[:MAX_TEXT_CHARS])
    steps = min(max(1, steps), MAX_STEPS)
    parts = [part for part, _ in split_and(text)] if is_positive else [text]
    variants = {variant for part in parts for _, variant in schedule(part, steps)}
    count = max((count_of(rt, variant) for variant in variants), default=0)
    return {"count": count, "limit": limit_for(count)}


def count_of(rt: Runtime, text: str) -> int:
    settings: Any = rt.settings
    return chunked(text, tokenizer(), rt.embeddings, emphasis=settings.emphasis,
                   comma_padding_backtrack=settings.comma_padding_backtrack).token_count
