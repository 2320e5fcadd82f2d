"""One Chromium for the modules of browser tests that follow each other: it starts with the first and ends after the last."""
from typing import Any

# All tabs of one server live in one process, in which the scripts of the page are already compiled: that halves the work of loading it.
FLAGS = ["--process-per-site",
         "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]


class SharedBrowser:
    """Playwright and what it drives. While it runs, this thread has an event loop, which other tests must not meet: hence `stop`."""

    def __init__(self) -> None:
        self.playwright: Any = None
        self.browser: Any = None

    def started(self, executable: str) -> "SharedBrowser":
        from playwright.sync_api import Error, sync_playwright

        try:
            if self.browser is not None:
                self.browser.new_context().close()
        except Error:  # the browser or its driver ended
            self.stop()
        if self.browser is None:
            self.playwright = sync_playwright().start()
            self.browser = self.playwright.chromium.launch(executable_path=executable, args=FLAGS)
        return self

    def new_context(self) -> Any:
        """With an empty tab of this machine in it, so that the process of its pages does not end with the tab of a test."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        tab.route("**/*", lambda route: route.fulfill(body=""))
        tab.goto("http://127.0.0.1/")
        return context

    def stop(self) -> None:
        playwright, browser = self.playwright, self.browser
        self.playwright = self.browser = None
        if playwright is None:
            return
        from playwright.sync_api import Error

        try:
            browser.close()
        except Error:
            pass  # it has ended already
        playwright.stop()
