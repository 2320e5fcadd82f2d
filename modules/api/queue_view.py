"""Jobs as the page and API clients see them: plain data made from the queue, without waiting for anything."""
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from modules.api.own_queue import OwnQueue
from modules.errors import NotFound
from modules.jobs.job import Job

TITLE_CHARS = 120


def picture_url(job: Job, index: int) -> str:
    """Where the file of a picture is served."""
    return f"/internal/result/{quote(job.id, safe='')}/picture/{index}"


def picture_paths(job: Job) -> dict[int, str]:
    """Index -> path of the pictures that can be asked for: those of the result, or those finished so far."""
    if job.result and job.result.get("images"):
        return {index: image["path"] for index, image in enumerate(job.result["images"])}
    return {picture.index: picture.path for picture in job.pictures}


def picture_path(job: Job, index: int) -> str:
    """The path of one picture. Raises NotFound."""
    path = picture_paths(job).get(index)
    if path is None:
        raise NotFound(what=f"The job has no picture {index}.")
    return path


def pictures_total(request: Mapping[str, Any]) -> int | None:
    """How many pictures a request asks for, None when it does not say."""
    counts = request.get("n_iter"), request.get("batch_size")
    files = len((request.get("batch") or {}).get("files", ())) or 1
    return counts[0] * counts[1] * files if all(isinstance(count, int) for count in counts) else None  # type: ignore[operator]


def item(queue: OwnQueue, job: Job, position: int | None = None) -> dict[str, Any]:
    """One job of the queue drawer."""
    snapshot = queue.state.snapshot()
    is_running = snapshot.job_id == job.id
    paths = picture_paths(job)
    return {
        "id": job.id, "kind": job.kind, "title": job.title[:TITLE_CHARS], "owner": job.owner, "status": job.status,
        "position": position, "progress": snapshot.progress if is_running else None, "eta": snapshot.eta_now() if is_running else None,
        "pictures_done": len(job.pictures), "pictures_total": pictures_total(job.request),
        "thumbnail": picture_url(job, max(paths)) if paths else None, "error": job.error, "resumable": job.resumable,
        "created": job.created, "started": job.started, "ended": job.ended,
    }


def queue_answer(queue: OwnQueue, notices: list[str], known_version: int | None = None) -> dict[str, Any]:
    """The whole list, or only its version when the client has seen it."""
    version = queue.version
    if known_version == version and queue.current is None:
        return {"paused": queue.is_paused, "version": version, "unchanged": True}
    current = queue.current
    waiting = [(place, job) for place, job in queue.places() if job is not current]
    return {
        "paused": queue.is_paused, "version": version,
        "jobs": [item(queue, job) for job in ([current] if current else [])]
                + [item(queue, job, place) for place, job in waiting],
        "unfinished": [item(queue, job) for job in queue.unfinished()],
        "recent": [item(queue, job) for job in queue.recent()],
        "notices": [*notices, *queue.notices],
    }


def progress_answer(queue: OwnQueue, job_id: str, known_preview: int, with_preview: bool) -> dict[str, Any]:
    """How far one job is."""
    snapshot = queue.state.snapshot()
    job = queue.get(job_id)
    status = job.status if job else "unknown"
    is_active = job is not None and snapshot.job_id == job_id
    position = queue.position(job_id) if status == "waiting" else None
    size = queue.size
    shows_preview = is_active and with_preview and snapshot.preview is not None and snapshot.id_live_preview != known_preview
    texts = {"waiting": f"In queue: {position}/{size}", "unfinished": "Unfinished", "unknown": "Waiting..."}
    return {
        "active": is_active, "queued": status == "waiting", "completed": bool(job and job.is_over),
        "progress": snapshot.progress if is_active else None, "eta": snapshot.eta_now() if is_active else None,
        "live_preview": snapshot.preview.data_url if shows_preview and snapshot.preview else None,
        "id_live_preview": snapshot.id_live_preview if is_active else -1,
        "textinfo": (snapshot.textinfo or snapshot.job or None) if is_active else texts.get(status),
        "position": position, "status": status, "error": job.error if job else None,
        "job": {"job_no": snapshot.job_no, "job_count": max(0, snapshot.job_count), "sampling_step": snapshot.sampling_step,
                "sampling_steps": snapshot.sampling_steps} if is_active else None,
        "pictures": len(job.pictures) if job else 0, "queue_size": size, "paused": queue.is_paused,
        "unfinished": len(queue.unfinished()),
    }


def result_answer(job: Job) -> dict[str, Any]:
    """What became of a job, with a url for each picture."""
    result = None
    if job.result is not None:
        images = [{**image, "url": picture_url(job, index)} for index, image in enumerate(job.result.get("images", ()))]
        result = {**job.result, "images": images}
    pictures = [{"index": picture.index, "path": picture.path, "infotext": picture.infotext, "url": picture_url(job, picture.index)}
                for picture in job.pictures]
    return {"id": job.id, "status": job.status, "error": job.error, "title": job.title, "kind": job.kind, "result": result,
            "pictures": pictures, "seconds": job.seconds}
