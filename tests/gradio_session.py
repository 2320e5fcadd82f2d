"""Presses buttons of a running page without a browser: the functions behind them are called as the page calls them."""
import json
import urllib.request
from typing import Any

from server_process import ServerProcess

WAIT_S = 300


class GradioSession:
    """The page's components with their values, as one visitor has them. What happens in JavaScript alone does not happen here."""

    def __init__(self, server: ServerProcess):
        self.server = server
        self.config = server.get("/config")[1]
        self.prefix = self.config.get("api_prefix", "")
        self.values = {component["id"]: component["props"].get("value") for component in self.config["components"]}

    def component(self, **props: Any) -> int:
        """The first component with these properties, e.g. elem_id or label."""
        return next(component["id"] for component in self.config["components"] if props.items() <= component["props"].items())

    def happen(self, component: int, event: str = "click") -> None:
        """Call all functions that are bound to an event of a component, one after the other."""
        for function in self.functions_of(component, event):
            self.call(function)

    def functions_of(self, component: int, event: str = "click") -> list[dict[str, Any]]:
        """The functions of the program that are bound to an event of a component."""
        functions = [function for function in self.config["dependencies"] if function["backend_fn"]]
        return [function for function in functions if [component, event] in [list(target) for target in function["targets"]]]

    def call(self, function: dict[str, Any]) -> None:
        """Call one function with the present values, and take over what it changes. Raises AssertionError with its error."""
        data = [self.values[component] for component in function["inputs"]]
        ours = {"fn_index": function["id"], "session_hash": "easel", "data": data, "event_data": None}
        status, answer = self.server.post(f"{self.prefix}/queue/join", ours)
        assert status == 200, answer
        for component, change in zip(function["outputs"], self._outputs(), strict=True):
            if isinstance(change, dict) and change.get("__type__") == "update":
                self.values[component] = change.get("value", self.values[component])
            else:
                self.values[component] = change

    def _outputs(self) -> list[Any]:
        with urllib.request.urlopen(f"{self.server.url}{self.prefix}/queue/data?session_hash=easel", timeout=WAIT_S) as stream:
            for line in stream:
                message = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message["output"]
                    return message["output"]["data"]
        raise AssertionError("the answer ended before the function did")
