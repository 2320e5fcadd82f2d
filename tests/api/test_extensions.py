"""Routes of the Extensions tab: who may change what."""
import pytest
from fastapi import Request

from modules.api.extensions import is_from_this_machine

CHANGES = (("look", {"url": "https://example.org/x"}), ("install", {"id": "x"}), ("check", {"name": "x"}), ("update", {"name": "x"}),
           ("roll-back", {"name": "x"}), ("remove", {"name": "x"}), ("switch", {}), ("states/save", {"name": "x"}),
           ("states/restore", {"file": "x"}))


@pytest.fixture
def reachable(rt, monkeypatch):
    monkeypatch.setattr(rt.args, "listen", True)
    return rt


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_nothing_is_changed_where_other_machines_reach_the_server(client, reachable, path, body):
    refused = client.post(f"/internal/extensions/{path}", json=body)
    assert refused.status_code == 403 and "other machines" in refused.json()["detail"]
    assert client.post("/internal/extensions/available", json={}).status_code == 403
    assert "other machines" in client.get("/internal/extensions").json()["refusal"]


def test_a_flag_lets_them_be_changed_all_the_same(client, reachable, monkeypatch):
    monkeypatch.setattr(reachable.args, "enable_insecure_extension_access", True)
    assert client.post("/internal/extensions/remove", json={"name": "nothing"}).status_code == 404
    assert client.get("/internal/extensions").json()["refusal"] == ""


def test_places_of_the_server_are_installed_from_by_who_sits_at_it(client, tmp_path):
    for place in (str(tmp_path), f"file://{tmp_path}", f' "FILE://{tmp_path}"'):
        refused = client.post("/internal/extensions/look", json={"url": place})  # the client of these tests has no address
        assert refused.status_code == 403 and "from the server itself" in refused.json()["detail"]


@pytest.mark.parametrize(("address", "headers", "flags", "is_local"), [
    ("127.0.0.1", {}, {}, True), ("::1", {}, {}, True), ("192.0.2.7", {}, {}, False), ("testclient", {}, {}, False),
    ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, {}, False), ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, {}, False),
    ("127.0.0.1", {}, {"share": True}, False), ("127.0.0.1", {}, {"subpath": "easel"}, False),
])
def test_who_comes_through_a_tunnel_or_a_server_in_between_does_not_sit_at_it(rt, monkeypatch, address, headers, flags, is_local):
    for name, value in flags.items():
        monkeypatch.setattr(rt.args, name, value)
    headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    assert is_from_this_machine(rt, Request({"type": "http", "client": (address, 1), "headers": headers})) is is_local


def test_the_list_says_what_is_on_and_what_it_cost(client, rt):
    row = next(row for row in client.get("/internal/extensions").json()["extensions"] if row["is_bundled"])
    assert row["name"] == "easel-dynamic-prompts" and row["enabled"] and row["earlier"] == []


def test_switches_count_from_the_next_start_on(client, rt):
    assert client.post("/internal/extensions/switch", json={"disabled": ["b", "a", "a"], "disable_all": "extra"}).status_code == 200
    assert rt.settings.disabled_extensions == ["a", "b"] and rt.settings.disable_all_extensions == "extra"
    assert client.post("/internal/extensions/switch", json={"disable_all": "perhaps"}).status_code == 422
    client.post("/internal/extensions/switch", json={})
