"""Fetching a known file as a job, when a person asks for it: over https, with checksum, going on where an earlier try stopped."""
from __future__ import annotations

import hashlib
import http.client
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from modules import runtime
from modules.atomic_files import write_problem
from modules.errors import NotFound, UserError
from modules.imaging.known_files import KNOWN_FILES, KnownFile
from modules.imaging.known_upscalers import KNOWN_UPSCALERS
from modules.jobs.job import OVER, Job
from modules.jobs.state import JobState
from modules.public_addresses import NotPublic, connection_to
from modules.runtime import Runtime
from modules.version import version_text

KIND = "download"
# What is there of a file that is not whole yet; no list of models shows it.
PART = ".download"
WAIT_S = 30.0  # for a connection, and for each piece
PIECE_BYTES = 1 << 20
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
TRIES = 3
# Sizes of files whose makers replace them are not exact.
MOST_TIMES_THE_SIZE = 2

Connect = Callable[[str, int], http.client.HTTPConnection]
Progress = Callable[[int, int], None]


def downloadable() -> dict[str, KnownFile]:
    """All files that can be fetched, by name."""
    upscalers = (KnownFile(name=row.file, use=row.name, folders=(row.folder,), url=row.url, size=row.size_mb * 1_000_000, is_exact=False)
                 for row in KNOWN_UPSCALERS)
    return {file.name: file for file in (*KNOWN_FILES, *upscalers)}


def find(name: str) -> KnownFile:
    """Raises NotFound: only files of the table can be fetched."""
    file = downloadable().get(name)
    if file is None:
        raise NotFound(f"{name[:100]!r} is no file that can be fetched here.")
    return file


def job_of(rt: Runtime, file: KnownFile) -> Job | None:
    """The job that fetches a file or waits to do so."""
    mine = (job for job in rt.queue.jobs() if job.kind == KIND and job.request.get("file") == file.name)
    return next((job for job in mine if job.status not in OVER), None)


def submit(rt: Runtime, name: str, *, owner: str = "") -> Job:
    """Queue the fetching of a known file; the job that does it already, if there is one. Raises NotFound, UserError where it is there."""
    file = find(name)
    if (path := file.path(rt.folders.models)) is not None:
        raise UserError(f"{file.name} is there already.", f"It lies in {path.parent}.", "Remove it first to fetch it again.")
    running = job_of(rt, file)
    return running or rt.queue.submit(KIND, {"file": file.name}, {}, title=f"Download {file.name}", owner=owner, resumable=False)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part."""
    rt = runtime.current()
    file = find(job.request["file"])
    path = fetched(file, rt.folders.models / file.folders[0], shown_in(state, file))
    return {"images": [], "path": str(path), "notes": [f"{file.name} is in {file.place} now."]}


def shown_in(state: JobState, file: KnownFile) -> Progress:
    """Progress that people see and can stop, in megabytes."""
    state.job_count, state.textinfo = 1, f"Downloading {file.name}"

    def progress(done: int, of: int) -> None:
        state.check()
        state.sampling_steps, state.sampling_step = of >> 20, done >> 20

    return progress


def fetched(file: KnownFile, folder: Path, progress: Progress = lambda done, of: None, connect: Connect | None = None) -> Path:
    """The file in `folder`, whole and checked. What an earlier try has left is gone on with where a checksum can tell that it fits.

    progress: told of bytes, before each piece; may raise to stop, then the rest can be fetched later. connect: see public_connection.
    Raises UserError.
    """
    part = folder / (file.name + PART)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not file.sha256:
            part.unlink(missing_ok=True)
        whole = _whole_part(file, part, progress, connect or public_connection)
        check_sum(file, part, lambda: progress(whole, whole))
        os.replace(part, folder / file.name)
    except OSError as error:
        raise write_problem(file.name, folder, error) from error
    return folder / file.name


def _whole_part(file: KnownFile, part: Path, progress: Progress, connect: Connect) -> int:
    """Fetch until the part is whole; a connection that breaks is made again a few times. Returns the size."""
    reason = ""
    for _ in range(TRIES):
        try:
            return _fetch_rest(file, part, progress, connect)
        except BrokenTransfer as error:
            reason = str(error)
    raise UserError(f"{file.name} could not be downloaded from {urlsplit(file.url).hostname}.", f"{reason}.",
                    f"Try again, or put it into {file.place} yourself.")


class BrokenTransfer(Exception):
    """The connection did not give the whole file; another one may."""


def _fetch_rest(file: KnownFile, part: Path, progress: Progress, connect: Connect) -> int:
    start = part.stat().st_size if part.is_file() else 0
    if file.is_exact and start >= file.size:  # whole already, or of something else; the checksum tells
        return start
    try:
        connection, answer = _asked(file, start, connect)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BrokenTransfer(f"{type(error).__name__}: {error}"[:200]) from error
    try:
        start = start if answer.status == 206 else 0
        size = start + (answer.length or 0)
        _check_size(file, size)
        if size and shutil.disk_usage(part.parent).free < size - start:
            raise UserError(f"There is no room for {file.name} in {part.parent}.", f"It has {file.shown_size}.", "Free some space.")
        with part.open("ab" if start else "wb") as stream:
            done = _copy(answer, stream, start, size, progress, file)
            stream.flush()
            os.fsync(stream.fileno())
        if (size and done != size) or (file.is_exact and done != file.size):
            raise BrokenTransfer(f"It broke off after {done >> 20} MB")
        return done
    finally:
        connection.close()


def _copy(answer: http.client.HTTPResponse, stream: Any, done: int, size: int, progress: Progress, file: KnownFile) -> int:
    """Write what comes; returns how much of the file there is then."""
    limit = file.size if file.is_exact else MOST_TIMES_THE_SIZE * file.size
    while True:
        progress(done, size or file.size)
        try:
            piece = answer.read1(PIECE_BYTES)
        except (OSError, http.client.HTTPException) as error:
            stream.flush()
            raise BrokenTransfer(f"{type(error).__name__}: {error}"[:200]) from error
        if not piece:
            return done
        done += len(piece)
        if done > limit:
            raise UserError(f"{file.name} was not downloaded.", f"More came than the {file.shown_size} that it should have.")
        stream.write(piece)


def _check_size(file: KnownFile, size: int) -> None:
    if size and ((file.is_exact and size != file.size) or size > MOST_TIMES_THE_SIZE * file.size):
        raise UserError(f"{file.name} was not downloaded.",
                        f"The server has {size:,} bytes under this name, where {file.size:,} are expected.",
                        f"Look at {file.url}, and put the file into {file.place} yourself.")


def check_sum(file: KnownFile, part: Path, check: Callable[[], None]) -> None:
    """Raises UserError, and removes the part, when it is not the file that was published."""
    if not file.sha256:
        return
    digest = hashlib.sha256()
    with part.open("rb") as stream:
        while piece := stream.read(PIECE_BYTES):
            check()
            digest.update(piece)
    if digest.hexdigest() != file.sha256:
        part.unlink()
        raise UserError(f"{file.name} was not kept.", "Its checksum is not that of the published file.", "Try again.")


def _asked(file: KnownFile, start: int, connect: Connect) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """The connection and the answer that brings the file from byte `start` on, or all of it. Raises BrokenTransfer, OSError, UserError."""
    address = file.url
    for _ in range(MOST_REDIRECTS + 1):
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.hostname:
            raise UserError(f"{file.name} was not downloaded.", "Its address led away from https.")
        connection = connect(parts.hostname, parts.port or 443)
        try:
            headers = {"User-Agent": f"Easel/{version_text()}", "Accept-Encoding": "identity"}
            headers |= {"Range": f"bytes={start}-"} if start else {}
            connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
            answer = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        if answer.status in REDIRECTS and (location := answer.getheader("Location")):
            connection.close()
            address = urljoin(address, location)
            continue
        begins_there = answer.status == 206 and (answer.getheader("Content-Range") or "").startswith(f"bytes {start}-")
        if answer.status == 200 or begins_there:
            return connection, answer
        connection.close()
        raise BrokenTransfer(f"The server answered {answer.status}")
    raise BrokenTransfer(f"It was sent on more than {MOST_REDIRECTS} times")


def public_connection(host: str, port: int) -> http.client.HTTPConnection:
    """A connection over TLS to a host of the open internet. Raises UserError, OSError."""
    try:
        return connection_to(host, port, wait_s=WAIT_S)
    except NotPublic as error:
        raise UserError(f"Nothing was downloaded from {host}.", "It lies on this machine or in its own network.") from error
