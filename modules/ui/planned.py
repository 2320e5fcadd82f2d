"""The line below the controls of the chosen script: what it is going to make of the values in the form, or what is wrong with them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from modules.errors import UserError
from modules.generation.fields import validated
from modules.generation.planned_script import planned_by_script
from modules.generation.request import freeze
from modules.ui.components import paragraphs

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.ui.tab_kind import TabKind


def plan_handler(rt: Runtime, kind: TabKind, values_of: Callable[[Sequence[Any]], dict[str, Any]]) -> Callable[..., str]:
    """(*inputs of the form and the scripts) -> HTML; `values_of` names their values."""
    def planned(*args: Any) -> str:
        try:
            values = values_of(args)
            request = freeze(rt, validated(kind.fields, values), values, kind.runner).request
            return paragraphs(planned_by_script(kind.runner, kind.name, request), "plan")
        except UserError as error:
            return paragraphs(str(error), "error")
    return planned
