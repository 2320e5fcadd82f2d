"""--subpath: requests that another server hands on, with or without the beginning of the path."""
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from modules.api.subpath import Subpath, path_within, prefix_of


@pytest.mark.parametrize("text, prefix", [("easel", "/easel"), ("/easel/", "/easel"), ("a/b", "/a/b"), ("", ""), ("/", ""), (None, "")])
def test_a_subpath_may_be_written_with_or_without_slashes(text, prefix):
    assert prefix_of(text) == prefix


@pytest.mark.parametrize("path", ["/x", "/easel/x"])
def test_the_other_server_may_cut_the_subpath_off_or_leave_it(path):
    app = FastAPI()

    @app.get("/x")
    def shown(request: Request) -> dict:
        return {"url": str(request.url), "within": path_within(request.scope)}

    app.add_middleware(Subpath, prefix="/easel")
    assert TestClient(app, base_url="http://127.0.0.1").get(path).json() == {"url": "http://127.0.0.1/easel/x", "within": "/x"}
    assert TestClient(app, base_url="http://127.0.0.1").get("/easelx").status_code == 404
