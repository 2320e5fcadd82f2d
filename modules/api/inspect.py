"""The route behind the prompt inspector: what both prompts mean for the values in the form, and what the job will cost."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from modules import extra_networks, scripts
from modules.api.answers import SafeJSONResponse
from modules.api.token_count import tokenizer
from modules.errors import RequestError, UserError
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS, validated
from modules.generation.planned_cost import PlannedCost, planned_cost
from modules.prompt.inspect import SeenPart, inspect_prompt
from modules.prompt.parse import strip_comments
from modules.runtime import Runtime
from modules.scripts import ScriptRunner

MAX_CHARS = 20_000
MAX_VARIANTS = 60
SURROUNDINGS = 24


class InspectRequest(BaseModel):
    """The values of the form by the names of their fields; those that are missing have their defaults."""

    values: dict[str, Any] = {}
    tab: Literal["txt2img", "img2img"] = "txt2img"


def inspect_router(rt: Runtime) -> APIRouter:
    """The route for this runtime."""
    router = APIRouter(prefix="/internal", tags=["page"], default_response_class=SafeJSONResponse)

    @router.post("/inspect")
    def inspect(body: InspectRequest) -> dict[str, Any]:
        """Tokens, weights and schedule of both prompts, what is unknown in them, and the planned evaluations. In a thread."""
        given = {name: value for name, value in body.values.items() if name != "override_settings"}
        request = validated(IMG2IMG_FIELDS if body.tab == "img2img" else TXT2IMG_FIELDS, given)
        for name in ("prompt", "negative_prompt"):
            if len(request[name]) > MAX_CHARS:
                raise RequestError(name, f"The inspector reads prompts of up to {MAX_CHARS:,} characters.")
        runner = scripts.scripts_img2img if body.tab == "img2img" else scripts.scripts_txt2img
        prompt = inspected(rt, request, runner, is_negative=False)
        prompts = [prompt, inspected(rt, request, runner, is_negative=True)]
        return {"prompts": prompts, "cost": cost(rt, {**request, "prompt": prompt["text"]})}

    return router


def inspected(rt: Runtime, request: Mapping[str, Any], runner: ScriptRunner | None, *, is_negative: bool) -> dict[str, Any]:
    """One prompt as the generation reads it, and sentences about what is not right in it."""
    apply = rt.styles.apply_to_negative_prompt if is_negative else rt.styles.apply_to_prompt
    known = [name for name in request["styles"] if name in rt.styles.names()]
    text = apply(request["negative_prompt" if is_negative else "prompt"], known)
    text, notes = as_scripts_leave_it(strip_comments(text) if rt.settings.enable_prompt_comments else text, runner)
    if is_negative:
        if extra_networks.parse(text)[1]:
            notes.append("Tags of networks count in the prompt only; here they are read as words.")
    else:
        text, tags = extra_networks.parse(text)
        notes += unknown_networks(rt, tags)
    settings: Any = rt.settings
    seen = inspect_prompt(text[:MAX_CHARS], request["steps"], tokenizer(), rt.embeddings, is_negative=is_negative,
                          emphasis=settings.emphasis, comma_padding_backtrack=settings.comma_padding_backtrack)
    notes += unused_embeddings(rt, text)
    if seen.is_literal:
        notes.append("A bar outside of brackets, or a backslash at a line's end, makes the whole text literal: no [edit] works.")
    return {"name": "Negative prompt" if is_negative else "Prompt", "text": text, "token_count": seen.token_count, "limit": seen.limit,
            "parts": [part_data(part) for part in seen.parts], "notes": notes,
            "unmatched": [surroundings(text, offset) for offset in seen.unmatched[:MAX_VARIANTS]]}


def as_scripts_leave_it(text: str, runner: ScriptRunner | None) -> tuple[str, list[str]]:
    """A text that the always-on scripts may make of a prompt, and what they say about it."""
    notes: list[str] = []
    for script in runner.alwayson_scripts if runner else ():
        text, said = script.inspected(text)
        notes += said
    return text, notes


def unknown_networks(rt: Runtime, tags: Mapping[str, list[extra_networks.ExtraNetworkParams]]) -> list[str]:
    """A sentence for every tag that will do nothing."""
    notes = [f"Nothing here answers to tags of the kind <{kind}:…>." for kind in extra_networks.unknown_kinds(tags)]
    for params in [*tags.get("lora", ()), *tags.get("lyco", ())]:
        try:
            rt.loras.path_of(params.named.get("name", params.name))
        except UserError as error:
            notes.append(str(error))
    return notes


def unused_embeddings(rt: Runtime, text: str) -> list[str]:
    """A sentence for every embedding whose file is there and whose name is in the text, but which cannot be used."""
    if not rt.embeddings.width:  # which ones fit is known when a model is loaded
        return []
    words = text.casefold()
    return [f"The embedding {name} is not used. {reason}" for name, reason in rt.embeddings.skipped.items() if name.casefold() in words]


def surroundings(text: str, offset: int) -> dict[str, str]:
    """A sign of the text with what stands before and behind it."""
    return {"before": text[max(0, offset - SURROUNDINGS):offset], "sign": text[offset],
            "after": text[offset + 1:offset + 1 + SURROUNDINGS]}


def part_data(part: SeenPart) -> dict[str, Any]:
    """One part between ANDs; a token is [text, weight, whether it is an embedding]."""
    variants = [{"until_step": variant.until_step, "text": variant.text,
                 "chunks": [[[token.text, token.weight, token.is_embedding] for token in chunk] for chunk in variant.chunks]}
                for variant in part.variants[:MAX_VARIANTS]]
    return {"text": part.text, "weight": part.weight, "variants": variants, "more_variants": max(0, len(part.variants) - MAX_VARIANTS)}


def cost(rt: Runtime, request: Mapping[str, Any]) -> dict[str, Any]:
    """The planned evaluations as numbers and as sentences; what is wrong with the values, where they make no job."""
    try:
        planned = planned_cost(rt, request)
    except UserError as error:
        return {"evaluations": None, "passes": [], "sentences": [str(error)]}
    return {"evaluations": planned.evaluations, "passes": [asdict(each) for each in planned.passes], "sentences": sentences(planned)}


def sentences(planned: PlannedCost) -> list[str]:
    """The cost in words."""
    said = []
    for each in planned.passes:
        if each.calls is None:
            said.append(f"{each.name}: {each.sampler} chooses its steps while it runs.")
        else:
            said.append(f"{each.name}: {each.sampler} asks {each.calls} times, each with {each.rows} "
                        f"{'text' if each.rows == 1 else 'texts'}: {each.calls * each.rows} evaluations per picture.")
    if planned.evaluations is not None:
        pictures = "1 picture" if planned.pictures == 1 else f"{planned.pictures} pictures"
        most = "at most " if planned.is_upper_bound else ""
        said.append(f"The job: {pictures}, {most}{planned.evaluations:,} network evaluations.")
    return said
