"""The self-check: what is in order, what is not, and what to do."""
from types import SimpleNamespace

from modules import self_check


def by_name(client):
    findings = client.get("/internal/self-check").json()["findings"]
    return {finding["name"]: finding for finding in findings}


def test_everything_that_pictures_need_is_looked_at(client, rt):
    found = by_name(client)
    assert {"Versions", "Device", "Disk of models and settings", "Memory", "Checkpoints", "Extensions"} <= found.keys()
    assert found["Versions"]["state"] == "good" and "gradio" in found["Versions"]["text"]
    assert all(finding["text"].endswith(".") for finding in found.values())


def test_what_is_not_in_order_comes_with_what_to_do(client, rt, monkeypatch):
    monkeypatch.setattr(self_check.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    monkeypatch.setattr(self_check.shutil, "which", lambda name: None)
    monkeypatch.setattr(self_check.timing, "table", lambda: {"/x/slow.py": {"ui": 3.5}})
    found = by_name(client)
    assert found["Disk of pictures"]["state"] == "bad" and found["Disk of pictures"]["remedy"]
    assert "git" in found["git"]["text"] and "slow.py took 3.5 s" in found["Slow script"]["text"]
