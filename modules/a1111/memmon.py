"""Use of memory under the names of A1111's `memmon`."""
import threading


class MemUsageMonitor(threading.Thread):
    """Answers what memory of the card is in use; it watches nothing by itself."""

    def __init__(self, name: str, device, opts):
        super().__init__(name=name, daemon=True)
        self.device, self.opts = device, opts
        self.disabled = True
        self.run_flag = threading.Event()
        self.data: dict[str, int] = {}

    def cuda_mem_get_info(self) -> tuple[int, int]:
        """Free and total bytes."""
        import torch

        return torch.cuda.mem_get_info() if torch.cuda.is_available() else (0, 0)

    def monitor(self) -> None:
        """Begin to watch."""

    def read(self) -> dict[str, int]:
        """What is known now."""
        free, total = self.cuda_mem_get_info()
        return {"free": free, "total": total, "min_free": free, "used": total - free} if total else {}

    def stop(self) -> dict[str, int]:
        """The end."""
        return self.read()


monitor = MemUsageMonitor("memory", None, None)
