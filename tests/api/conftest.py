"""The API in front of a running program on the tiny checkpoint."""
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_model
from runtime_parts import running
from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One program for all tests of a file."""
    data_dir = tiny_model.make_data_dir(tmp_path_factory.mktemp("api") / "data")
    with running(data_dir, "--api") as rt:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt


@pytest.fixture(scope="module")
def client(rt: Any) -> Iterator[TestClient]:
    from modules.api.app import build_api_app

    with TestClient(build_api_app(rt), base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def instant(rt: Any) -> Iterator[list[dict[str, Any]]]:
    """txt2img jobs end at once, without pictures; gives the list of the requests that came through."""
    from modules import txt2img

    seen: list[dict[str, Any]] = []

    def note(job, state) -> dict[str, Any]:
        seen.append({**job.request})
        return {"images": [], "info": {"infotexts": []}}

    rt.queue.register(txt2img.KIND, note)
    yield seen
    rt.queue.register(txt2img.KIND, txt2img.run)


@pytest.fixture(scope="session")
def openapi_golden() -> dict[str, Any]:
    return json.loads((Path(tiny_model.GOLDENS) / "api-openapi.json").read_text())


@pytest.fixture(scope="session")
def get_samples() -> dict[str, Any]:
    return json.loads((Path(tiny_model.GOLDENS) / "api-get-samples.json").read_text())
