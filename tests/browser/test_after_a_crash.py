"""What the page offers after the program was killed with jobs in the queue."""
import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def wait(page, script, timeout_s=90):
    page.wait_for_function(script, timeout=timeout_s * 1000)


def test_jobs_of_a_killed_program_are_offered_and_resume_makes_the_missing_pictures(page, module_server):
    server, outputs = module_server, module_server.data_dir / "outputs"
    page.goto(server.url)
    wait(page, "() => typeof uiIsLoaded !== 'undefined' && uiIsLoaded")
    for name, value in (("steps", 20), ("width", 64), ("height", 64), ("batch_count", 5), ("seed", 5)):
        box = page.locator(f"#txt2img_{name} input[type=number]")
        box.fill(str(value))
        box.press("Tab")
    page.fill("#txt2img_prompt textarea", "before the crash")
    page.click("#txt2img_generate")
    page.click("#txt2img_generate")
    while not any(job["pictures_done"] >= 2 for job in server.get("/internal/queue")[1]["jobs"]):
        time.sleep(0.05)
    with server.killed():
        before = {path.name: path.read_bytes() for path in outputs.rglob("*.png")}
    assert len(before) >= 2 and all(content.endswith(b"IEND\xaeB`\x82") for content in before.values())  # none is half-written
    earlier = len(server.get("/internal/queue")[1]["recent"])
    page.goto(server.url)
    page.wait_for_selector("#unfinished_banner")
    assert "1 job was waiting" in page.inner_text("#unfinished_banner")
    page.click("#unfinished_banner >> text=Later")
    assert page.locator("#unfinished_banner").count() == 0
    page.evaluate("sessionStorage.clear()")
    page.goto(server.url)
    page.click("#unfinished_banner >> text=Resume")
    over = f"queueState.jobs.length === 0 && queueState.recent.length >= {earlier + 2}"
    wait(page, f"() => queueState.unfinished.length === 0 && {over}", 200)
    recent = server.get("/internal/queue")[1]["recent"]
    finished = [job for job in recent if job["kind"] == "txt2img" and job["title"] == "before the crash"]
    assert [job["pictures_done"] for job in finished] == [5, 5]
    after = {path.name: path.read_bytes() for path in (outputs / "txt2img-images").rglob("*.png")}
    assert len(after) == 10 and all(after.get(name, content) == content for name, content in before.items())
