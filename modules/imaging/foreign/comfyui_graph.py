"""The graph that ComfyUI stores in its pictures: nodes, and what their inputs are linked to. Walks end, however the links run."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modules.imaging.foreign.draft import list_in, mapping_in, text_in

MOST_NODES = 5000
MOST_HOPS = 200

# Inputs that hold the value of a node which does nothing but hand it on.
VALUE_INPUTS = ("value", "Value", "text", "string", "String", "STRING", "prompt", "populated_text", "wildcard_text", "seed", "int", "float",
                "number", "any", "anything", "input", "source")
TEXT_PARTS = ("string_a", "string_b", "text_a", "text_b", "text_c", "text_d", "text1", "text2")

# Names of the widgets in the order in which the editor lists their values; needed where only the editor's graph is stored.
CONTROL = "control_after_generate"
WIDGETS: dict[str, tuple[str, ...]] = {
    "KSampler": ("seed", CONTROL, "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", CONTROL, "steps", "cfg", "sampler_name", "scheduler", "start_at_step", "end_at_step",
                         "return_with_leftover_noise"),
    "SamplerCustom": ("add_noise", "noise_seed", CONTROL, "cfg"),
    "KSamplerSelect": ("sampler_name",), "BasicScheduler": ("scheduler", "steps", "denoise"), "RandomNoise": ("noise_seed", CONTROL),
    "KarrasScheduler": ("steps", "sigma_max", "sigma_min", "rho"), "CFGGuider": ("cfg",),
    "CheckpointLoaderSimple": ("ckpt_name",), "UNETLoader": ("unet_name", "weight_dtype"), "VAELoader": ("vae_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"), "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "CLIPTextEncode": ("text",), "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "EmptyLatentImage": ("width", "height", "batch_size"), "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "LatentUpscale": ("upscale_method", "width", "height", "crop"), "LatentUpscaleBy": ("upscale_method", "scale_by"),
    "PrimitiveNode": ("value",), "PrimitiveString": ("value",), "PrimitiveStringMultiline": ("value",), "PrimitiveInt": ("value",),
}
MUTED, BYPASSED = 2, 4


class Link(NamedTuple):
    """The output of a node that an input is connected to."""

    node: str
    slot: int


@dataclass(frozen=True)
class Node:
    """`inputs`: values as they are, or a Link."""

    id: str
    kind: str
    inputs: dict[str, Any] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        return any(name in self.inputs for name in names)


class Graph:
    """Nodes by their id."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes

    def linked(self, node: Node, name: str) -> tuple[Node, int] | None:
        """The node behind an input, and the number of its output."""
        link = node.inputs.get(name)
        if isinstance(link, Link) and link.node in self.nodes:
            return self.nodes[link.node], link.slot
        return None

    def upstream(self, start: Node, inputs: tuple[str, ...] = ()) -> Iterator[Node]:
        """`start` and all nodes before it, the nearest first; over the named inputs only, if any are named."""
        seen, waiting = {start.id}, deque([start])
        while waiting:
            node = waiting.popleft()
            yield node
            for name, link in node.inputs.items():
                if isinstance(link, Link) and link.node in self.nodes and link.node not in seen and (not inputs or name in inputs):
                    seen.add(link.node)
                    waiting.append(self.nodes[link.node])

    def value(self, node: Node, *names: str) -> Any:
        """The value of the first of these inputs that has one; through nodes that hand a value on or join texts."""
        for name in names:
            if name in node.inputs:
                value = self._value(node.inputs[name], MOST_HOPS)
                if value is not None:
                    return value
        return None

    def _value(self, value: Any, hops: int) -> Any:
        while isinstance(value, Link):
            node = self.nodes.get(value.node)
            hops -= 1
            if node is None or hops <= 0:
                return None
            parts = [node.inputs[name] for name in TEXT_PARTS if name in node.inputs]
            if parts:
                texts = [text_in(self._value(part, hops // len(parts))) for part in parts]
                return (text_in(node.inputs.get("delimiter")) or " ").join(filter(None, texts))
            value = next((node.inputs[name] for name in VALUE_INPUTS if name in node.inputs), None)
        return value

    def ends(self) -> list[Node]:
        """Nodes that no other node uses; those that save pictures first, then those that show them."""
        used = {link.node for node in self.nodes.values() for link in node.inputs.values() if isinstance(link, Link)}
        ends = [node for node in self.nodes.values() if node.id not in used]
        return sorted(ends, key=lambda node: 0 if "Save" in node.kind else 1 if "Preview" in node.kind else 2)


def graph_of_prompt(prompt: Mapping[str, Any]) -> Graph:
    """The graph as it was run: {id: {"class_type": ..., "inputs": {name: value or [id, output]}}}."""
    nodes = {}
    for key, node in list(prompt.items())[:MOST_NODES]:
        kind = text_in(mapping_in(node).get("class_type"))
        if kind:
            inputs = mapping_in(node.get("inputs"))
            nodes[str(key)] = Node(str(key), kind, {name: _linked_or_value(value) for name, value in inputs.items()})
    return Graph(nodes)


def _linked_or_value(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int) and isinstance(value[1], int):
        return Link(str(value[0]), value[1])
    return value


def graph_of_workflow(workflow: Mapping[str, Any]) -> Graph:
    """The graph of the editor: a list of nodes with values of widgets by place, and a list of links between them."""
    links = {str(link[0]): Link(str(link[1]), link[2] if isinstance(link[2], int) else 0)
             for link in list_in(workflow.get("links"))[:MOST_NODES * 4] if isinstance(link, list) and len(link) >= 5}
    rows = [mapping_in(row) for row in list_in(workflow.get("nodes"))[:MOST_NODES]]
    around = {str(row.get("id")): _bypass(row) for row in rows if row.get("mode") == BYPASSED or row.get("type") == "Reroute"}
    nodes = {}
    for row in rows:
        key, kind = str(row.get("id")), text_in(row.get("type"))
        if kind and row.get("mode") != MUTED and key not in around:
            nodes[key] = Node(key, kind, {**_widgets(kind, row), **_links(row, links, around)})
    return Graph(nodes)


def _widgets(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    values = row.get("widgets_values")
    if isinstance(values, dict):
        return {str(name): value for name, value in values.items() if not isinstance(value, Link)}
    return {name: value for name, value in zip(WIDGETS.get(kind, ()), list_in(values)) if name != CONTROL}


def _links(row: Mapping[str, Any], links: Mapping[str, Link], around: Mapping[str, dict[str, str]]) -> dict[str, Link]:
    found = {}
    for socket in map(mapping_in, list_in(row.get("inputs"))[:200]):
        link = links.get(str(socket.get("link")))
        for _ in range(MOST_HOPS):
            if link is None or link.node not in around:
                break
            link = links.get(around[link.node].get(str(link.slot), ""))
        else:
            link = None
        if link is not None:
            found[text_in(socket.get("name"))] = link
    return found


def _bypass(row: Mapping[str, Any]) -> dict[str, str]:
    """Output number -> the link of the first input of the same type: what a bypassed node hands on."""
    by_type: dict[str, str] = {}
    for socket in map(mapping_in, list_in(row.get("inputs"))[:200]):
        by_type.setdefault(str(socket.get("type")), str(socket.get("link")))
    outputs = [mapping_in(socket) for socket in list_in(row.get("outputs"))[:200]]
    first = next(iter(by_type.values()), "")
    return {str(slot): by_type.get(str(socket.get("type")), first) for slot, socket in enumerate(outputs)}
