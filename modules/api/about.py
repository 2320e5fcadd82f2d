"""The program and the machine it runs on: command line, memory, versions; never a secret."""
import platform
import re
from collections.abc import Mapping
from typing import Any

import psutil

from modules.runtime import Runtime
from modules.version import version_text

# Names of flags and settings whose values are shown to nobody; extensions add flags of their own, so parts of names decide.
_SECRET = re.compile(r"(^|_)(auth|auth_path|passw(or)?ds?|secrets?|(access|auth|api|hf)_?tokens?|keyfile|api_?keys?|credentials?|ngrok)"
                     r"($|_)")


def is_secret(name: str) -> bool:
    """Whether what is called so may hold a password or a key."""
    return _SECRET.search(name.lower()) is not None


def without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values by name, those that may be secret left out."""
    return {name: value for name, value in values.items() if not is_secret(name)}


def flags(rt: Runtime) -> dict[str, Any]:
    """The command line; passwords and the places of keys are null."""
    shown = {name: value for name, value in vars(rt.args).items() if not name.startswith("_")}
    return {name: None if is_secret(name) else _plain(value) for name, value in shown.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def system(rt: Runtime) -> dict[str, Any]:
    """The program and the machine, for reports of faults."""
    import torch

    return {"version": version_text(), "python": platform.python_version(), "torch": torch.__version__, "platform": platform.platform(),
            "device": str(rt.hardware.device), "threads": torch.get_num_threads(), **memory(rt), "models": len(rt.checkpoints.list()),
            "notices": [*rt.all_notices(), *rt.queue.notices]}


def memory(rt: Runtime) -> dict[str, Any]:
    """Bytes of main memory used by this program, and of the graphics card where there is one."""
    import torch

    used = psutil.Process().memory_info().rss
    free = psutil.virtual_memory().available
    ram = {"free": free, "used": used, "total": free + used}
    if not torch.cuda.is_available():
        return {"ram": ram, "cuda": {"error": "unavailable"}}
    free_vram, total_vram = torch.cuda.mem_get_info()
    stats = torch.cuda.memory_stats()

    def of(kind: str) -> dict[str, int]:
        return {"current": stats.get(f"{kind}.all.current", 0), "peak": stats.get(f"{kind}.all.peak", 0)}

    return {"ram": ram, "cuda": {
        "system": {"free": free_vram, "used": total_vram - free_vram, "total": total_vram}, "active": of("active_bytes"),
        "allocated": of("allocated_bytes"), "reserved": of("reserved_bytes"), "inactive": of("inactive_split_bytes"),
        "events": {"retries": stats.get("num_alloc_retries", 0), "oom": stats.get("num_ooms", 0)}}}
