"""Fixtures that tests of every layer share."""
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# One thread per test process: results do not depend on the machine, and two test processes do not fight for two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")

import pytest
import tiny_model
from fault_injection import Faults
from plain_server import PlainServer
from server_process import GUARD, ServerProcess
from shared_browser import SharedBrowser

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


# The folders whose files take longest begin first, so that the processes of a parallel run end together.
BEGINS = {name: place for place, name in enumerate(("browser", "robustness", "cli", "setup", "generation", "checkpoints", "extensions"))}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may miss a time limit: such a test gets a second try, which the summary counts."""
    items.sort(key=lambda item: BEGINS.get(item.path.parent.name, len(BEGINS)))
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """Nothing in the test process itself reaches another machine."""
    sys.path.insert(0, str(GUARD))
    import importlib

    spec = importlib.util.spec_from_file_location("socket_guard", GUARD / "sitecustomize.py")
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    sys.path.remove(str(GUARD))
    yield


@pytest.fixture(scope="module", autouse=True)
def collecting_garbage_is_quick() -> None:
    """What is loaded when a module begins is left out of later searches for garbage, which every program that stops makes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The folder with recorded data."""
    return tiny_model.GOLDENS


@pytest.fixture(scope="session")
def tiny_checkpoint() -> Callable[..., Path]:
    """tiny_checkpoint(seed=1) -> path; its yaml lies beside it. Seeds 1, 2: plain; 3: inpainting; 4: v-prediction."""
    return tiny_model.tiny_checkpoint


@pytest.fixture
def tiny_data_dir(tmp_path: Path) -> Path:
    """A fresh data folder with two tiny checkpoints, three embeddings and a LoRA."""
    return tiny_model.make_data_dir(tmp_path / "data")


@pytest.fixture
def runtime(tiny_data_dir: Path) -> Iterator[Any]:
    """The parts of the program on a fresh data folder, its queue at work, without a page or an API."""
    from runtime_parts import running

    with running(tiny_data_dir) as parts:
        yield parts


@pytest.fixture(scope="module")
def module_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The same for all tests of a module, for those that leave files and settings as they are."""
    from runtime_parts import running

    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("runtime") / "data")) as parts:
        yield parts


@pytest.fixture
def server(tiny_data_dir: Path) -> Iterator[Callable[..., ServerProcess]]:
    """server(*args, data_dir=..., env=...) -> a running ServerProcess with the API on; closed after the test."""
    started: list[ServerProcess] = []

    def start(*args: str, data_dir: Path = tiny_data_dir, **keywords: Any) -> ServerProcess:
        process = ServerProcess(data_dir, "--api", *args, **keywords)
        started.append(process)
        return process.start()

    yield start
    for process in reversed(started):
        process.close()


@pytest.fixture(scope="session")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    """The server that modules share; ask for `module_server` instead."""
    shared = PlainServer(tmp_path_factory.mktemp("server"))
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def module_server(plain_server: PlainServer) -> Iterator[ServerProcess]:
    """A running server that is, when a module begins, as if it had just started; only its lists of past jobs may be longer."""
    server = plain_server.fresh()
    yield server
    attempts = server.attempts()
    server.forget_attempts()
    assert not attempts, f"the server tried to reach {sorted(set(attempts))}"


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """Lets the n-th open, replace, link, fsync, unlink or mkdir below tmp_path fail; see fault_injection.py."""
    return Faults(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """small_disk(size_bytes) -> a folder on a disk of that size. Skips only where nothing can be mounted."""
    mounted: list[Path] = []

    def make(size_bytes: int) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("a small disk needs the right to mount one (root on Linux)")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium. Tests that need it are skipped where there is none; in CI that is a failure."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        message = "no Chromium: install it with the system's packages (apt-get install chromium) or name it in CHROMIUM"
        (pytest.fail if IN_CI else pytest.skip)(message)
    return str(path)


SHARED_BROWSER = SharedBrowser()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """The browser ends before a module without browser tests begins."""
    try:
        return (yield)
    finally:
        if nextitem is None or (nextitem.path != item.path and "browser" not in getattr(nextitem, "fixturenames", ())):
            SHARED_BROWSER.stop()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Any:
    """A Chromium driven by Playwright."""
    return SHARED_BROWSER.started(chromium).browser


@pytest.fixture(scope="module")
def browser_context(browser: Any) -> Iterator[Any]:
    """What the tabs of a module share: a process, with scripts of the page that were loaded once."""
    context = SHARED_BROWSER.new_context()
    yield context
    context.close()


@pytest.fixture
def page(browser_context: Any) -> Iterator[Any]:
    """A fresh tab that finds nothing stored. `page.outside_requests` lists addresses that it asked for on other hosts."""
    tab = browser_context.new_page()
    tab.outside_requests = []
    visited: set[str] = set()
    local = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "data:", "blob:", "about:")
    tab.on("request", lambda request: None if request.url.startswith(local) else tab.outside_requests.append(request.url))
    tab.on("framenavigated", lambda frame: visited.add("/".join(frame.url.split("/")[:3])))
    yield tab
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.goto("about:blank")  # what a page stores when it is left is stored now
    storage = browser_context.new_cdp_session(tab)
    tab.route("**/*", lambda route: route.fulfill(body=""))
    for origin in visited:
        if origin.startswith("http"):
            tab.goto(origin)  # an empty page there: the process that tabs share has its own copy of the local storage
            tab.evaluate("localStorage.clear()")
            storage.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "cookies,local_storage,indexeddb"})
    browser_context.clear_permissions()
    tab.close()
