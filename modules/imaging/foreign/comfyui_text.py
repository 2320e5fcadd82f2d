"""The prompts in a graph of ComfyUI: from a sampler along its conditioning to the texts."""
from __future__ import annotations

from modules.imaging.foreign.comfyui_graph import Graph, Node
from modules.imaging.foreign.draft import Draft, file_stem, shortened, text_in
from modules.imaging.foreign.emphasis import comfyui_pieces, has_weights

MOST_PARTS = 32
MOST_DEPTH = 60
# Inputs that hold the words of a text encoder; where several are filled, they are for its several networks.
TEXTS = ("text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "prompt", "positive", "wildcard_text")
# Nodes that hand conditioning on, changed in a way that has no place in a prompt.
SIDES = ("positive", "negative")
CONDITIONINGS = ("conditioning", "conditioning_1", "conditioning_2", "conditioning_to", "conditioning_from", "cond", "positive", "negative")
EMBEDDING = "embedding:"

# What can be said of a path: parts that are joined in chunks (Concat) or as separate conditions (Combine).
Conditions = list[list[str]]


def prompts_of(draft: Draft, graph: Graph, sampler: Node) -> None:
    """Write both prompts of a sampler into `draft`."""
    texts = [_Walk(draft, graph).conditions(*found, side) if (found := _begin(graph, sampler, side)) else [] for side in SIDES]
    draft.prompt = _joined(texts[0])
    draft.negative_prompt = ", ".join(filter(None, (" BREAK ".join(condition) for condition in texts[1])))
    if len(texts[1]) > 1:
        draft.note("The negative prompt was combined from several; they were joined.")
    if has_weights(draft.prompt) or has_weights(draft.negative_prompt):
        draft.note("ComfyUI weighs words in another way; the picture will be near, not equal.")


def _begin(graph: Graph, sampler: Node, side: str) -> tuple[Node, int] | None:
    """The node behind an input of the sampler, or of its guider, which may have the positive side only."""
    found = graph.linked(sampler, side)
    if found is None and (guider := graph.linked(sampler, "guider")):
        found = graph.linked(guider[0], side) or (graph.linked(guider[0], "conditioning") if side == "positive" else None)
    return found


def _joined(conditions: Conditions) -> str:
    """Several conditions count alike, and their sum is one: `a :0.5 AND b :0.5`."""
    texts = [text for condition in conditions if (text := " BREAK ".join(filter(None, condition)))]
    if len(texts) < 2:
        return "".join(texts)
    return " AND ".join(f"{text} :{round(1 / len(texts), 6):g}" for text in texts)


class _Walk:
    """One walk against the direction of the links; no node is visited twice on one path, and parts are counted."""

    def __init__(self, draft: Draft, graph: Graph) -> None:
        self.draft, self.graph = draft, graph
        self.left = MOST_PARTS * 4

    def conditions(self, node: Node, slot: int, side: str, depth: int = 0) -> Conditions:
        """Conditions behind output `slot` of a node, each a list of texts that follow each other."""
        self.left -= 1
        if self.left < 0 or depth > MOST_DEPTH:
            return []
        if "ZeroOut" in node.kind:
            return []
        sources = self._sources(node, slot, side)
        if "TextEncode" in node.kind or not sources:
            text = self._text(node, side)
            return [[text]] if text else []
        inner = [self.conditions(*source, side, depth + 1) for source in sources]
        if "Combine" in node.kind:
            return [condition for conditions in inner for condition in conditions][:MOST_PARTS]
        if "Concat" in node.kind and all(inner):
            return [[text for conditions in inner for text in conditions[0]]]
        if "Reroute" not in node.kind and "Guider" not in node.kind:
            self.draft.note(f'The node "{shortened(node.kind, 40)}" changed the prompt in a way that has no place in it.')
        return next(filter(None, inner), [])

    def _sources(self, node: Node, slot: int, side: str) -> list[tuple[Node, int]]:
        if node.has(*SIDES):  # such as ControlNetApplyAdvanced: its outputs are in the order of its inputs
            found = self.graph.linked(node, SIDES[slot] if slot < 2 else side)
            return [found] if found else []
        names = [name for name in CONDITIONINGS if name in node.inputs]
        return [found for name in names if (found := self.graph.linked(node, name))]

    def _text(self, node: Node, side: str) -> str:
        """The words of a text encoder in our syntax."""
        names = [side] if node.has(*SIDES) else [name for name in TEXTS if name in node.inputs]
        words = [text_in(self.graph.value(node, name)).strip() for name in names]
        different = list(dict.fromkeys(filter(None, words)))
        if len(different) > 1:
            self.draft.note("The text encoders had different texts; they were joined.")
        return self.draft.translated(_without_marks(", ".join(different)), comfyui_pieces)


def _without_marks(text: str) -> str:
    """`embedding:name.pt` as our `name`."""
    head, *rest = text.split(EMBEDDING)
    parts = [head]
    for part in rest:
        name = part[: next((place for place, sign in enumerate(part) if sign in " ,()\n\t"), len(part))]
        stem, colon, weight = name.partition(":")
        parts.append(file_stem(stem) + colon + weight + part[len(name):])
    return "".join(parts)
