"""The tabs of cards beside "Generation": embeddings, hypernetworks, checkpoints, LoRA. Cards are fetched when a tab is opened."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules.checkpoints import files
from modules.checkpoints.hashing import FileState
from modules.checkpoints.state_dict import quick_problem
from modules.errors import NotFound
from modules.networks import hypernetwork, lora, textual_inversion
from modules.networks.catalog import PICTURES, Card, CardCatalog

if TYPE_CHECKING:
    from modules.runtime import Runtime

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CardKind:
    """One kind of cards. `id` is part of element ids and addresses; `notes` are the texts that its editor shows, by their key."""

    id: str
    title: str
    notes: Sequence[str]


DESCRIBED = ("description", "notes")
KINDS = {kind.id: kind for kind in (
    CardKind(id="textual_inversion", title="Textual Inversion", notes=DESCRIBED),
    CardKind(id="hypernetworks", title="Hypernetworks", notes=DESCRIBED),
    CardKind(id="checkpoints", title="Checkpoints", notes=(*DESCRIBED, "vae")),
    CardKind(id="lora", title="Lora", notes=("description", "sd version", "activation text", "preferred weight", "negative text", "notes")),
)}


def card_tabs(tab: str) -> None:
    """Build the tabs inside the current gr.Tabs of a generating tab; the page's scripts fill them when they are opened."""
    for kind in KINDS.values():
        with gr.Tab(kind.title, id=kind.id, elem_id=f"{tab}_{kind.id}", elem_classes=["extra-page"]):
            gr.HTML(f'<div class="cards-page" id="{tab}_{kind.id}_page" data-tab="{tab}" data-kind="{kind.id}"></div>',
                    elem_classes=["cards-holder"], apply_default_css=False)


class NetworkCards:
    """The cards of a running program, as the page shows them."""

    def __init__(self, rt: Runtime):
        self._rt = rt
        folders = lambda: rt.folders
        self._catalogs = {
            "textual_inversion": CardCatalog(lambda: (folders().embeddings, *folders().extra_embeddings), textual_inversion.SUFFIXES,
                                             named_by_path=False, problem_of=embedding_problem),
            "hypernetworks": CardCatalog(lambda: (folders().hypernetworks, *folders().extra_hypernetworks), (hypernetwork.SUFFIX,)),
            "checkpoints": CardCatalog(lambda: rt.checkpoints.folders, files.SUFFIXES, without=".vae."),
            "lora": CardCatalog(lambda: (folders().lora, *folders().extra_lora), lora.SUFFIXES),
        }
        self._rows: dict[str, Callable[[Iterable[Card]], list[Row]]] = {
            "textual_inversion": self._embeddings, "checkpoints": self._checkpoints}

    def look_again(self, kind: str) -> None:
        """Have the program itself notice files that came or went, so that what a card inserts is found."""
        rt = self._rt
        refresh = {"textual_inversion": rt.embeddings.refresh, "checkpoints": rt.checkpoints.refresh, "lora": rt.loras.refresh}
        if kind in refresh:
            refresh[kind]()

    def rows(self, kind: str) -> list[Row]:
        """The cards of a kind as plain data. Raises NotFound for an unknown kind."""
        cards = self._catalog(kind).cards()
        return self._rows[kind](cards) if kind in self._rows else [row_of(card) for card in cards]

    def find(self, kind: str, key: str) -> Card:
        """One card. Raises NotFound."""
        catalog = self._catalog(kind)
        if kind == "checkpoints" and (outside := self._outside().get(key)):
            return outside
        return catalog.find(key)

    def _catalog(self, kind: str) -> CardCatalog:
        if kind not in self._catalogs:
            raise NotFound(f'There are no cards of the kind "{kind[:60]}".')
        return self._catalogs[kind]

    def _embeddings(self, cards: Iterable[Card]) -> list[Row]:
        """With the reasons why embeddings do not go with the loaded model, as far as one is loaded."""
        skipped = self._rt.embeddings.skipped
        rows = []
        for card in cards:
            row = row_of(card)
            row["problem"] = row["problem"] or skipped.get(str(card.path)) or skipped.get(card.name) or ""
            rows.append(row)
        return rows

    def _checkpoints(self, cards: Iterable[Card]) -> list[Row]:
        """With the names by which checkpoints are chosen, their hashes, and what loading found wrong."""
        known = {info.path: info for info in self._rt.checkpoints}
        broken = {file.path: file.reason for file in self._rt.checkpoints.broken}
        rows = []
        for card in [*cards, *self._outside().values()]:
            row, info = row_of(card), known.get(card.path)
            row |= {"name": card.path.stem, "problem": broken.get(card.path, "")}
            if info is not None:
                row |= {"choose": info.name, "hash": info.short_hash}
                row["name"] = info.name if info.is_demo else card.path.stem
            elif not row["problem"]:
                row["problem"] = "It is new. Refresh the list to use it."
            rows.append(row)
        return rows

    def _outside(self) -> dict[str, Card]:
        """Checkpoints that lie in none of the folders: the demo model, and the file of --ckpt."""
        folders = self._catalogs["checkpoints"].folders
        return {info.name: bare_card(info) for info in self._rt.checkpoints
                if not any(info.path.is_relative_to(folder) for folder in folders)}


def embedding_problem(path: Path) -> str | None:
    """Embeddings may be pictures, which only reading them tells."""
    return None if path.suffix.lower().lstrip(".") in PICTURES else quick_problem(path)


def bare_card(info: files.CheckpointInfo) -> Card:
    """The card of a checkpoint whose folder holds nothing that belongs to cards."""
    state: FileState = info.state
    return Card(key=info.name, name=info.name, folder="", path=info.path, state=state, created_ns=state.mtime_ns)


def row_of(card: Card) -> Row:
    """What the page needs to show, find, sort and use a card. Short keys: there may be thousands."""
    row: Row = {"key": card.key, "name": card.name, "folder": card.folder, "created": card.created_ns // 10**9,
                "modified": card.state.mtime_ns // 10**9, "preview": card.preview_ns // 10**6 if card.preview else 0,
                "description": card.description, "problem": card.problem}
    texts = {"version": card.note("sd version"), "activation": card.note("activation text"), "negative": card.note("negative text"),
             "weight": card.note("preferred weight")}
    return row | {key: text for key, text in texts.items() if text}
