"""Parameters of ComfyUI, read out of the graph that made the picture.

From the node that saves the picture back to the last sampler, from there along its links to the texts, the model and the size. A second
sampler behind a larger latent picture becomes Hires. fix, one that goes on with another model the refiner. Facts: the nodes of ComfyUI.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.imaging.foreign.comfyui_graph import Graph, Node, graph_of_prompt, graph_of_workflow
from modules.imaging.foreign.comfyui_text import prompts_of
from modules.imaging.foreign.draft import Draft, Translation, json_object, mapping_in, number_in, shortened, text_in, whole_number_in

PROGRAM = "ComfyUI"
LATENT_INPUTS = ("latent_image", "latent")
# Inputs along which a picture goes from one sampler to the next.
PICTURE_INPUTS = ("latent_image", "latent", "samples", "pixels", "image", "images", "upscale_latent")
HELPER_INPUTS = ("noise", "guider", "sampler", "sigmas")
MODEL_INPUTS = ("model", "unet", "guider", "base_model", "model1")
CHECKPOINT_INPUTS = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")
MOST_SHOWN = 6
MOST_ENDS = 50

# upscale_method of the latent upscalers -> our upscaler
LATENT_UPSCALERS = {"nearest-exact": "Latent (nearest-exact)", "bilinear": "Latent", "bicubic": "Latent (bicubic)"}
SIGMA_NODES = {"KarrasScheduler": "karras", "ExponentialScheduler": "exponential", "PolyexponentialScheduler": "polyexponential",
               "AlignYourStepsScheduler": "ays"}
# Nodes on the way of the model that change nothing, or are read elsewhere.
PLAIN_MODEL_NODES = ("Loader", "CFGGuider", "BasicGuider", "Reroute", "Pipe", "LoRA", "Lora")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one sampler was told, as it stands in the graph."""

    seed: Any
    steps: int | None
    cfg: Any
    sampler: Any
    schedule: Any
    denoise: float
    begin: int | None
    end: int | None


def read(texts: Mapping[str, str]) -> Translation | None:
    """Parameters of ComfyUI, or None where the texts hold no graph."""
    graph = find_graph(texts)
    return translation_of(graph) if graph is not None and graph.nodes else None


def find_graph(texts: Mapping[str, str]) -> Graph | None:
    """The graph as it was run, else that of the editor. In WebP they lie in EXIF, each with its name and a colon before it."""
    for key in ("prompt", "Model", "UserComment", "Make", "ImageDescription", "comment"):
        text = text_in(texts.get(key))
        found = json_object(text[text.find("{"):] if text[:10].lower().startswith(("prompt:", "workflow:")) else text)
        if any(isinstance(node, dict) and "class_type" in node for node in list(found.values())[:20]):
            return graph_of_prompt(found)
    for key in ("workflow", "Make", "ImageDescription", "Model"):
        text = text_in(texts.get(key))
        found = json_object(text[text.find("{"):])
        if isinstance(found.get("nodes"), list) and isinstance(found.get("links"), list):
            return graph_of_workflow(found)
    return None


def translation_of(graph: Graph) -> Translation:
    """The graph as an infotext, with notes about what has no place in one."""
    draft = Draft(PROGRAM)
    samplers = _samplers(draft, graph)
    if not samplers:
        draft.note("The graph has no sampler that is known here; only its first text was read.")
        draft.prompt = next((text for node in graph.nodes.values() if "TextEncode" in node.kind
                             if isinstance(text := graph.value(node, "text"), str)), "")
        return draft.finished()
    first, last = samplers[-1], samplers[0]
    settings = _settings(graph, first)
    draft.number("Seed", settings.seed)
    draft.number("CFG scale", settings.cfg)
    draft.sampler(settings.sampler, settings.schedule)
    draft.text("RNG", "CPU")
    prompts_of(draft, graph, first)
    _models(draft, graph, first)
    is_from_picture = _begin(draft, graph, first)
    draft.number("Steps", _planned_steps(settings) if is_from_picture else settings.steps)
    if is_from_picture or settings.denoise < 1:
        draft.number("Denoising strength", settings.denoise)
    if first is not last:
        _second_pass(draft, graph, last, settings)
    if len(samplers) > 2:
        draft.note(f"The picture went through {len(samplers)} samplers; the first and the last of them were read.")
    return draft.finished()


def is_sampler(node: Node) -> bool:
    return node.has(*LATENT_INPUTS) and node.has("positive", "guider", "conditioning")


def _samplers(draft: Draft, graph: Graph) -> list[Node]:
    """The samplers that the picture went through, the last first."""
    for end in graph.ends()[:MOST_ENDS]:
        last = next(filter(is_sampler, graph.upstream(end)), None)
        if last is None:
            continue
        chain = [node for node in graph.upstream(last, PICTURE_INPUTS) if is_sampler(node)]
        others = sum(map(is_sampler, graph.nodes.values())) - len(chain)
        if others > 0:
            draft.note("The graph has further samplers that this picture may have come from.")
        return chain
    return []


def _settings(graph: Graph, sampler: Node) -> Settings:
    """From the node itself, or from the nodes for noise, guidance, sampler and noise levels that stand before it."""
    helpers = [found[0] for name in HELPER_INPUTS if (found := graph.linked(sampler, name))]

    def value(*names: str) -> Any:
        return next((found for node in (sampler, *helpers) if (found := graph.value(node, *names)) is not None), None)

    denoise = number_in(value("denoise"))
    sigmas = next((SIGMA_NODES[node.kind] for node in helpers if node.kind in SIGMA_NODES), None)
    return Settings(seed=value("seed", "noise_seed"), steps=whole_number_in(value("steps")), cfg=value("cfg"),
                    sampler=value("sampler_name"), schedule=value("scheduler") or sigmas,
                    denoise=1.0 if denoise is None else min(max(float(denoise), 0.0), 1.0),
                    begin=whole_number_in(value("start_at_step")), end=whole_number_in(value("end_at_step")))


def _planned_steps(settings: Settings) -> int | None:
    """ComfyUI runs `steps` of a longer plan when it begins in the middle; our steps are those of the plan."""
    if not settings.steps or settings.denoise <= 0:
        return settings.steps
    return min(int(settings.steps / settings.denoise), 10_000)


def _begin(draft: Draft, graph: Graph, sampler: Node) -> bool:
    """The size of the empty picture at the beginning; whether it was no empty one."""
    for node in graph.upstream(sampler, PICTURE_INPUTS):
        if node.has("width") and node.has("height") and "Upscale" not in node.kind and "Scale" not in node.kind:
            draft.size(graph.value(node, "width"), graph.value(node, "height"))
            if "VAEEncode" not in node.kind and "LoadImage" not in node.kind:
                return False
        if "VAEEncode" in node.kind or "LoadImage" in node.kind:
            draft.note("It was made from another picture, which is not in the file.")
            return True
    return False


def _models(draft: Draft, graph: Graph, sampler: Node) -> None:
    """Checkpoint, LoRAs, layer of the text encoder and VAE; other nodes on the way of the model are named."""
    unknown = []
    for node in graph.upstream(sampler, MODEL_INPUTS):
        if node is sampler:
            continue
        _loras(draft, graph, node)
        if (name := graph.value(node, *CHECKPOINT_INPUTS)) and not draft.has("Model"):
            draft.model(name)
        elif not any(word in node.kind for word in PLAIN_MODEL_NODES) and node.has("model"):
            unknown.append(shortened(node.kind, 40))
    if unknown:
        draft.note(f"Nodes that changed the model were left out: {', '.join(unknown[:MOST_SHOWN])}.")
    layers = [number_in(node.inputs.get("stop_at_clip_layer")) for node in graph.upstream(sampler) if node.has("stop_at_clip_layer")]
    if layers and layers[0] is not None and -12 <= layers[0] < 0:
        draft.number("Clip skip", -layers[0])
    names = {str(graph.value(node, "vae_name")) for node in graph.nodes.values() if node.kind == "VAELoader"}
    if len(names) == 1:
        draft.model(names.pop(), "VAE")


def _loras(draft: Draft, graph: Graph, node: Node) -> None:
    """One LoRA of the loaders that come with ComfyUI, or the rows of a list of them."""
    if node.has("lora_name"):
        weight = graph.value(node, "strength_model")
        draft.lora(graph.value(node, "lora_name"), 1 if weight is None else weight)
        if number_in(graph.value(node, "strength_clip")) not in (None, number_in(weight)):
            draft.note("A LoRA has another weight for the text encoder; that of the model was taken.")
    for row in list(node.inputs.values())[:60]:
        row = mapping_in(row)
        if row.get("on") is True and "lora" in row:
            draft.lora(row.get("lora"), row.get("strength", 1))


def _second_pass(draft: Draft, graph: Graph, last: Node, before: Settings) -> None:
    settings = _settings(graph, last)
    if before.end is not None and settings.begin == before.end and before.steps and settings.steps == before.steps:
        name = next((name for node in graph.upstream(last, MODEL_INPUTS) if (name := graph.value(node, *CHECKPOINT_INPUTS))), None)
        draft.model(name, "Refiner")
        draft.number("Refiner switch at", round(before.end / before.steps, 4))
        return
    for node in graph.upstream(last, PICTURE_INPUTS):
        if node.kind in ("LatentUpscale", "LatentUpscaleBy"):
            _hires(draft, graph, node, settings)
            return
        if is_sampler(node) and node is not last:
            break
    draft.note("The second pass over the picture cannot be expressed as Hires. fix and was left out.")


def _hires(draft: Draft, graph: Graph, upscaler: Node, settings: Settings) -> None:
    method = text_in(graph.value(upscaler, "upscale_method"))
    draft.text("Hires upscaler", LATENT_UPSCALERS.get(method, "Latent"))
    if method not in LATENT_UPSCALERS:
        draft.note(f'The latent picture was made larger by "{shortened(method, 30)}", for which we have none; it became "Latent".')
    scale = number_in(graph.value(upscaler, "scale_by"))
    size = whole_number_in(graph.value(upscaler, "width")), whole_number_in(graph.value(upscaler, "height"))
    if scale is not None:
        draft.number("Hires upscale", scale)
    elif size[0] and size[1]:
        draft.text("Hires resize", f"{size[0]}x{size[1]}")
    draft.number("Hires steps", _planned_steps(settings))
    draft.number("Denoising strength", settings.denoise)
    draft.note("The second pass draws its noise in another way than ours; the picture will be near, not equal.")
