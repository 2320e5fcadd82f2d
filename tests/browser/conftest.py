"""A page on a real server, for the browser tests of a module."""
import time

import pytest


class Easel:
    """The page as a person uses it. `tab` is Playwright's page."""

    def __init__(self, tab, server):
        self.tab, self.server = tab, server
        self.problems = []
        tab.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.on("dialog", lambda dialog: dialog.accept())

    def open(self, query=""):
        """Load the page; returns the seconds until it can be used."""
        began = time.monotonic()
        self.tab.goto(self.server.url + "/" + query)
        self.tab.wait_for_function("() => typeof uiIsLoaded !== 'undefined' && uiIsLoaded && queueState.version >= 0")
        seconds = time.monotonic() - began
        self.tab.wait_for_function("() => pageRestored && allTabTasks().every((tasks) => tasks.isCurrent)")
        return seconds

    def prompt(self, text, tab="txt2img"):
        self.tab.fill(f"#{tab}_prompt textarea", text)

    def number(self, element, value):
        box = self.tab.locator(f"#{element} input[type=number]")
        box.fill(str(value))
        box.press("Tab")

    def generate(self, tab="txt2img"):
        self.tab.click(f"#{tab}_generate")

    def wait_for(self, script, timeout_s=60):
        self.tab.wait_for_function(script, timeout=timeout_s * 1000)

    def wait_for_result(self, prompt, timeout_s=60, tab="txt2img"):
        """Until the infotext under the gallery begins with the prompt."""
        begins = f"text => byId('html_info_{tab}').innerText.trim().startsWith(text)"
        self.tab.wait_for_function(begins, arg=prompt, timeout=timeout_s * 1000)

    def wait_until_idle(self, timeout_s=90):
        self.wait_for("() => !tasksLeft() && !queueState.jobs.length", timeout_s)

    def log(self, tab="txt2img"):
        return self.tab.inner_text(f"#html_log_{tab}")

    def queue(self):
        return self.server.get("/internal/queue")[1]


@pytest.fixture
def easel(page, module_server):
    """The page, loaded and idle. At the end it must have shown no script error and asked no other host."""
    for path in ("queue/cancel-all", "queue/resume", "interrupt"):  # whatever a failed test left
        module_server.post(f"/internal/{path}", {})
    user = Easel(page, module_server)
    user.open()
    user.number("txt2img_width", 64)
    user.number("txt2img_height", 64)
    yield user
    assert user.problems == []
    assert page.outside_requests == []
