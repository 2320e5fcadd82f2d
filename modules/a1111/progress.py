"""Tasks of the page under the names of A1111's `progress`; the queue of the program keeps them."""
from modules import runtime
from modules._live import live

pending_tasks: dict = {}
finished_tasks: list = []
recorded_results: list = []


def add_task_to_queue(id_job: str) -> None:
    """Nothing: a job is known when it is submitted."""


def start_task(id_task: str) -> None:
    """Nothing: the worker starts tasks."""


def finish_task(id_task: str) -> None:
    """Nothing: the worker ends tasks."""


def record_results(id_task: str, res) -> None:
    """Nothing: results are kept with their job."""


def create_task_id(task_type: str) -> str:
    """A fresh id."""
    import secrets

    return f"task({task_type}-{secrets.token_hex(4)})"


live(__name__, computed={"current_task": lambda: runtime.current().state.job_id or None})
