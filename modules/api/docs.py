"""A page that describes the API, made from its OpenAPI document; it asks no other host for anything."""
import json
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

STYLE = "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color-scheme:light dark}" \
        "code,pre{font:13px ui-monospace,monospace}td,th{text-align:left;padding:.1em 1em .1em 0;vertical-align:top}summary{cursor:pointer}"

HEADINGS = {"API": "Routes that clients know", "jobs": "Jobs that nobody waits for", "page": "Routes of the page", "more": "More"}


def add_docs(app: FastAPI) -> None:
    """Serve the page at /docs."""
    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()))


def page(document: dict[str, Any]) -> str:
    """The document as HTML."""
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            groups.setdefault(next(iter(described.get("tags", ())), "more"), []).append(route(path, method, described))
    routes = [part for group, rows in groups.items() for part in (f"<h2>{escape(HEADINGS.get(group, group))}</h2>", *rows)]
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Easel API</title><style>{STYLE}</style><h1>Easel API</h1>'
            f'<p>The same as a document for programs: <a href="openapi.json">openapi.json</a></p>{"".join(routes)}</html>')


def route(path: str, method: str, described: dict[str, Any]) -> str:
    """One route, its fields folded away."""
    text = escape(described.get("description") or described.get("summary", ""))
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    fields = "".join(field(name, rule) for name, rule in content.get("properties", {}).items())
    table = f"<table><tr><th>field<th>type<th>default<th>range{fields}</table>" if fields else "<p>No fields, or those of the document.</p>"
    samples = "".join(f"<pre>{escape(sample['source'])}</pre>" for sample in described.get("x-codeSamples", ()))
    return f"<details><summary><code>{escape(method.upper())} {escape(path)}</code> {text}</summary>{table}{samples}</details>"


def field(name: str, rule: dict[str, Any]) -> str:
    limits = f"{rule['minimum']:g} to {rule['maximum']:g}" if {"minimum", "maximum"} <= rule.keys() else ""
    default = json.dumps(rule["default"]) if "default" in rule else ""
    return f"<tr><td><code>{escape(name)}</code><td>{escape(str(rule.get('type', '')))}<td>{escape(default)}<td>{limits}"
