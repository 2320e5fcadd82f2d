"""<hypernet:name:weight> in prompts: which files, how strongly, and the scope in which attention is changed."""
from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from modules import runtime
from modules.errors import UserError
from modules.extra_networks import ExtraNetwork, ExtraNetworkParams, register_extra_network
from modules.networks.hypernetwork import HypernetworkCatalog, HypernetworkUse, before_attention


class HypernetworkNetwork(ExtraNetwork):
    """The hypernetworks of one batch. There is one set at a time: activating another takes the one before away."""

    def __init__(self, folders: list[Path]) -> None:
        super().__init__("hypernet")
        self._catalog = HypernetworkCatalog(folders)
        self._scope = ExitStack()
        self._uses: list[HypernetworkUse] = []

    def activate(self, p: Any, params_list: list[ExtraNetworkParams]) -> None:
        """Change the attention of the model of `p` as the tags say; names without a file are told under the pictures."""
        self.deactivate(p)
        self._uses = [use for params in params_list if (use := self._wanted(p, params)) is not None]
        self.apply_to(p)

    def apply_to(self, p: Any) -> None:
        """Change the attention of the current model of `p` too, e.g. of a refiner."""
        if self._uses:
            self._scope.enter_context(before_attention(p.sd_model.model.diffusion_model, self._uses))

    def deactivate(self, p: Any) -> None:
        """Attention as it was."""
        self._uses = []
        self._scope.close()

    def _wanted(self, p: Any, params: ExtraNetworkParams) -> HypernetworkUse | None:
        """What one tag asks for: <hypernet:name:multiplier>; None, with a comment, when it cannot be had."""
        given = dict(zip(("name", "multiplier"), params.positional)) | params.named
        try:
            multiplier = float(given.get("multiplier", 1.0))
        except ValueError:
            p.comment(f"<hypernet:{':'.join(params.items)}> was left out: its weight must be a number.")
            return None
        try:
            return HypernetworkUse(network=self._catalog.find(given.get("name", "")), multiplier=multiplier)
        except UserError as error:
            p.comment(str(error))
            return None


def register() -> None:
    """Let <hypernet:...> reach the files of the running program."""
    folders = runtime.current().folders
    register_extra_network(HypernetworkNetwork([folders.hypernetworks, *folders.extra_hypernetworks]))
