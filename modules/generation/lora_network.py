"""<lora:name:weight> in prompts: which files, how strongly, and the scope in which the model is changed."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from modules import runtime
from modules.errors import RequestError, UserError
from modules.extra_networks import ExtraNetwork, ExtraNetworkParams, register_extra_network, register_extra_network_alias
from modules.generation.lora_views import all_same, loaded_views, view_of
from modules.networks.block_weights import NAMED, block_factors
from modules.networks.lora import LoraUse, deltas
from modules.networks.patching import patched
from modules.scripts import Script


class LoraNetwork(ExtraNetwork):
    """The networks of one batch. There is one set at a time: activating another takes the one before away.

    Inside `kept` the weights stay changed from one batch to the next, so that the same set costs nothing there.
    """

    def __init__(self) -> None:
        super().__init__("lora")
        self._scope = ExitStack()
        self._uses: list[LoraUse] = []
        self._models: list[Any] = []  # those whose weights are changed now
        self._kept = 0

    def activate(self, p: Any, params_list: list[ExtraNetworkParams]) -> None:
        """Change the model of `p` as the tags say; names without a file are told under the pictures."""
        uses = [use for params in params_list if (use := wanted(p, params)) is not None]
        if not self._is_at_work(p.sd_model, uses):
            self._take_away()
        self._uses = uses
        if self._uses:
            p.extra_generation_params["Lora hashes"] = ", ".join(dict.fromkeys(f"{use.lora.name}: {use.lora.hash12}" for use in self._uses))
            self.apply_to(p)
        loaded_views()[:] = [view_of(use, p.sd_model) for use in self._uses]

    def follow(self, p: Any) -> None:
        """Take over what scripts have changed in the LoRAs at work since they were activated."""
        uses = [view.use() for view in loaded_views()]
        if all_same(self._uses, uses):
            return
        self._take_away()
        self._uses = uses
        p.changed_networks = object()  # texts that were encoded with other weights are of no use now
        self.apply_to(p)

    def apply_to(self, p: Any) -> None:
        """Change the current model of `p` too, e.g. a refiner that takes over in the middle of a pass."""
        if not self._uses or any(p.sd_model is model for model in self._models):
            return
        changes, notes = deltas(p.sd_model, self._uses)
        for note in notes:
            p.comment(note)
        self._scope.enter_context(patched(p.sd_model, changes))
        table = p.sd_model.cond_stage_model.embeddings
        if table is not None:
            self._scope.enter_context(table.including(embedding for use in self._uses for embedding in use.lora.embeddings))
        self._models.append(p.sd_model)

    def deactivate(self, p: Any) -> None:
        """Every weight as it was; inside `kept` at its end, or when another set follows.

        Where several models were changed that is at once too: they may have to make room for each other.
        """
        loaded_views().clear()
        if not self._kept or len(self._models) > 1:
            self._take_away()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The scope of the batches of one run; every weight is as it was at its end, whatever happens inside."""
        self._kept += 1
        try:
            yield
        finally:
            self._kept -= 1
            if not self._kept:
                self._take_away()

    def _is_at_work(self, model: Any, uses: Sequence[LoraUse]) -> bool:
        return any(model is changed for changed in self._models) and all_same(self._uses, uses)

    def _take_away(self) -> None:
        self._uses, self._models = [], []
        self._scope.close()


def wanted(p: Any, params: ExtraNetworkParams) -> LoraUse | None:
    """What one tag asks for: <lora:name:te:unet:dim>, each also as te=, unet=, dyn=; None, with a comment, when it cannot be had.

    lbw= gives block weights; a list or name of them may also follow the numbers.
    """
    blocks = next((text for text in params.positional[2:] if "," in text or text.strip().upper() in NAMED), None)
    given = dict(zip(("name", "te", "unet", "dyn"), (text for text in params.positional if text != blocks))) | params.named
    blocks = given.get("lbw", blocks)
    name = given.get("name", "")
    try:
        text = float(given.get("te", 1.0))
        unet = float(given.get("unet", text))
        rank = int(given["dyn"]) if given.get("dyn") else None
    except ValueError:
        p.comment(f"<lora:{':'.join(params.items)}> was left out: its weights must be numbers.")
        return None
    try:
        factors = None if blocks is None else factors_of(p, blocks)
        lora = runtime.current().loras.find(name)
    except UserError as error:
        p.comment(str(error))
        return None
    return LoraUse(lora=lora, te_multiplier=text, unet_multiplier=unet, dyn_dim=rank, blocks=factors)


def factors_of(p: Any, blocks: str) -> dict[str, float] | None:
    """The block weights of a tag; None where they are for a script that reads tags itself. Raises RequestError for what nobody knows."""
    try:
        return block_factors(blocks)
    except RequestError:
        runner = getattr(p, "scripts", None)
        if runner is not None and any(reads_networks(script) for script in runner.alwayson_scripts):
            return None
        raise


def reads_networks(script: Script) -> bool:
    """Whether a script looks at the networks at work, as those do that have names of block weights of their own."""
    return type(script).after_extra_networks_activate is not Script.after_extra_networks_activate


network = LoraNetwork()


def register() -> None:
    """Let <lora:...> and its old name <lyco:...> reach the network."""
    register_extra_network(network)
    register_extra_network_alias(network, "lyco")
