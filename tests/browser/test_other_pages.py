"""What a page on another origin, opened in the same browser, can do to the server: nothing."""
import functools
import http.server
import threading
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.browser

ATTACK = """async (target) => {
    const outcomes = {};
    const note = (name, promise) => promise.then((answer) => { outcomes[name] = answer; }, () => { outcomes[name] = "failed"; });
    const body = JSON.stringify({prompt: "stolen", steps: 1, width: 64, height: 64, jpeg_quality: 3, id: null, action: "pause"});
    const routes = ["/sdapi/v1/txt2img", "/sdapi/v1/jobs/txt2img", "/sdapi/v1/options", "/sdapi/v1/interrupt",
                    "/sdapi/v1/unload-checkpoint",
                    "/internal/queue", "/internal/queue/pause", "/internal/interrupt", "/internal/reload-ui", "/gradio_api/queue/join"];
    const kinds = {plain: {headers: {"content-type": "text/plain"}, body}, json: {headers: {"content-type": "application/json"}, body},
                   bodiless: {}, form: {body: new URLSearchParams({a: "b"})}};
    const waits = [];
    for (const route of routes) for (const [kind, sent] of Object.entries(kinds)) {
        if (kind !== "json") waits.push(fetch(target + route, {method: "POST", mode: "no-cors", ...sent}).catch(() => null));
        waits.push(note(route + " " + kind, fetch(target + route, {method: "POST", ...sent}).then((answer) => answer.text())));
    }
    for (const route of ["/sdapi/v1/options", "/sdapi/v1/progress", "/internal/queue", "/"])
        waits.push(note("read " + route, fetch(target + route).then((answer) => answer.text())));
    waits.push(note("stream", new Promise((resolve, reject) => {
        const stream = new EventSource(target + "/sdapi/v1/jobs/unknown/events");
        stream.onmessage = resolve;
        stream.onerror = reject;
    })));
    const form = Object.assign(document.createElement("form"), {method: "POST", action: target + "/sdapi/v1/interrupt", target: "frame"});
    document.body.append(Object.assign(document.createElement("iframe"), {name: "frame"}), form);
    form.submit();
    await Promise.all(waits);
    return outcomes;
}"""


@pytest.fixture
def other_origin(tmp_path) -> Iterator[str]:
    """A web server of somebody else; another port is another origin."""
    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title><body>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield f"http://localhost:{site.server_port}/index.html"
    site.shutdown()
    site.server_close()


def state(server) -> tuple:
    queue = server.get("/internal/queue")[1]
    return (queue["paused"], len(queue["jobs"]), len(queue["recent"]), server.get("/sdapi/v1/options")[1], server.get("/internal/ping"))


def test_a_page_of_another_origin_reads_nothing_and_changes_nothing(page, module_server, other_origin):
    before = state(module_server)
    page.goto(other_origin)
    outcomes = page.evaluate(ATTACK, module_server.url)
    assert len(outcomes) > 40 and set(outcomes.values()) == {"failed"}, {name: text for name, text in outcomes.items() if text != "failed"}
    assert state(module_server) == before and module_server.process.poll() is None


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [4, pytest.param(10, marks=pytest.mark.long)])
def test_a_page_that_was_offline_for_seconds_shows_progress_and_result_again(easel, seconds):
    easel.prompt("made while nobody could look")
    easel.number("txt2img_steps", 60)
    easel.number("txt2img_batch_count", 2)
    easel.generate()
    easel.wait_for("() => queueState.jobs.some((job) => job.status === 'running')")
    easel.tab.context.set_offline(True)
    easel.tab.wait_for_timeout(seconds * 1000)
    easel.tab.context.set_offline(False)
    easel.wait_for_result("made while nobody could look", timeout_s=200)
    easel.wait_until_idle()
    assert easel.tab.locator("#txt2img_gallery img").count() >= 2
    easel.problems = [problem for problem in easel.problems if "fetch" not in problem.lower()]  # what being offline means
