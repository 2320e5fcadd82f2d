"""Help while a prompt is typed: names that go on from what stands before the cursor, and what in a prompt is unknown or unbalanced."""
from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from modules import scripts
from modules.api.answers import SafeJSONResponse
from modules.api.inspect import inspected
from modules.generation.fields import TXT2IMG_FIELDS, validated
from modules.ui.networks import NetworkCards
from modules.ui.tag_list import TagLists, as_prompt, folded

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.scripts import ScriptRunner

MOST = 20
MOST_CHARS = 20_000
SHORTEST_WORD = 2
NAMES_HOLD_S = 5.0

# What ends a word that is completed; a name of an embedding or tag may hold spaces.
WORD = re.compile(r"[^,\n(){}\[\]|<>:]*\Z")
NETWORK = re.compile(r"<(?:(\w+):)?([^<>:\n]*)\Z")
WILDCARD = re.compile(r"(?:^|[^\w])__([\w\-./ ]*)\Z")
# Kind of a tag -> kind of the cards.
NETWORK_KINDS = {"lora": "lora", "lyco": "lora", "hypernet": "hypernetworks"}


class CompletionRequest(BaseModel):
    """The text before the cursor."""

    before: str


class CheckRequest(BaseModel):
    """One prompt box with the styles of its tab."""

    text: str
    styles: list[str] = []
    is_negative: bool = False
    tab: Literal["txt2img", "img2img"] = "txt2img"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One name. `insert` takes the place of what was typed of it; `detail` is said beside it. A style has nothing to insert."""

    kind: str
    name: str
    insert: str = ""
    detail: str = ""


@dataclass(kw_only=True)
class Completion:
    """Names in the order in which they are offered; `typed` characters before the cursor are those that they replace."""

    typed: int
    offers: list[Offer] = field(default_factory=list)


class PromptNames:
    """The names that prompts of a running program may use."""

    def __init__(self, rt: Runtime):
        self._rt = rt
        self._cards, self._tags = NetworkCards(rt), TagLists(rt.folders.tags)
        self._held: dict[str, tuple[float, list[dict[str, Any]]]] = {}

    def completion(self, before: str) -> Completion:
        """What can go on from the end of `before`."""
        if found := NETWORK.search(before):
            return Completion(typed=len(found[0]), offers=self._networks(found[1], found[2]))
        if (found := WILDCARD.search(before)) and before.count("__") % 2:
            return Completion(typed=len(found[1]) + 2, offers=self._wildcards(found[1]))
        word = WORD.search(before)[0].lstrip()  # type: ignore[index]  # it fits the end of any text
        if len(word.strip()) < SHORTEST_WORD:
            return Completion(typed=0)
        return Completion(typed=len(word), offers=[*self._embeddings(word), *self._styles(word), *self._found_tags(word)][:MOST])

    def _networks(self, kind: str | None, typed: str) -> list[Offer]:
        if kind is not None and kind not in NETWORK_KINDS:
            return []
        offers = []
        for tag in (kind,) if kind else ("lora", "hypernet"):
            for row in fitting(self._rows(NETWORK_KINDS[tag]), typed):
                weight = row.get("weight") or self._rt.settings.extra_networks_default_multiplier
                words = f" {row['activation']}" if row.get("activation") else ""
                offers.append(Offer(kind=tag, name=row["name"], insert=f"<{tag}:{row['name']}:{weight}>{words}",
                                    detail=row["problem"] or row.get("activation") or row["folder"]))
        return offers[:MOST]

    def _embeddings(self, typed: str) -> list[Offer]:
        return [Offer(kind="embedding", name=row["name"], insert=row["name"], detail=row["problem"] or row["folder"])
                for row in fitting(self._rows("textual_inversion"), typed)]

    def _styles(self, typed: str) -> list[Offer]:
        rows = [{"name": style.name, "text": style.prompt or style.negative_prompt} for style in self._rt.styles.styles.values()]
        return [Offer(kind="style", name=row["name"], detail=row["text"][:80]) for row in fitting(rows, typed)]

    def _wildcards(self, typed: str) -> list[Offer]:
        names = [{"name": name} for script in self._scripts() for name in script.wildcard_names()]
        return [Offer(kind="wildcard", name=row["name"], insert=f"__{row['name']}__") for row in fitting(names, typed)]

    def _found_tags(self, typed: str) -> list[Offer]:
        offers = []
        for found in self._tags.found(typed, MOST):
            count = f"{found.tag.count:,}" if found.tag.count else ""
            offers.append(Offer(kind="tag", name=found.tag.name.replace("_", " "), insert=as_prompt(found.tag.name),
                                detail=" · ".join(filter(None, (f"= {found.alias}" if found.alias else "", count)))))
        return offers

    def _scripts(self) -> Iterable[Any]:
        runner = scripts.scripts_txt2img
        return runner.alwayson_scripts if runner else ()

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        """The cards of a kind; those of a moment ago count, since a folder may hold thousands."""
        return self._held_for(kind, lambda: self._cards.rows(kind))

    def _held_for(self, kind: str, look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        seen, rows = self._held.get(kind, (0.0, []))
        if time.monotonic() - seen > NAMES_HOLD_S or not seen:
            rows = look()
            self._held[kind] = time.monotonic(), rows
        return rows


def fitting(rows: Iterable[dict[str, Any]], typed: str) -> list[dict[str, Any]]:
    """Rows whose name holds what was typed: those that begin with it first, then by name."""
    wanted = folded(typed)
    places = [(folded(row["name"]).find(wanted), row) for row in rows]
    fits = [(place > 0, row["name"].casefold(), row) for place, row in places if place >= 0]
    return [row for _, _, row in sorted(fits, key=lambda fit: fit[:2])[:MOST]]


def prompt_help_router(rt: Runtime) -> APIRouter:
    """The two routes for this runtime."""
    router = APIRouter(prefix="/internal/prompt-help", include_in_schema=False, default_response_class=SafeJSONResponse)
    names = PromptNames(rt)

    @router.post("/complete")
    def complete(body: CompletionRequest) -> dict[str, Any]:
        return asdict(names.completion(body.before[-500:]))

    @router.post("/check")
    def check(body: CheckRequest) -> dict[str, Any]:
        runner = scripts.scripts_img2img if body.tab == "img2img" else scripts.scripts_txt2img
        return checked_prompt(rt, body, runner)

    return router


def checked_prompt(rt: Runtime, body: CheckRequest, runner: ScriptRunner | None) -> dict[str, Any]:
    """Sentences about unknown names, and the places of brackets without a partner, as the inspector says them."""
    if len(body.text) > MOST_CHARS:
        return {"notes": [], "unmatched": []}
    request = validated(TXT2IMG_FIELDS, {"negative_prompt" if body.is_negative else "prompt": body.text, "styles": body.styles})
    seen = inspected(rt, request, runner, is_negative=body.is_negative)
    # What the inspector says of every template is no warning.
    notes = [note for note in seen["notes"] if not note.startswith("The prompt is a template")]
    return {"notes": notes, "unmatched": seen["unmatched"][:5]}
