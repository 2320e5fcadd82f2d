"""Dynamic prompts in whole jobs: through the public hooks alone, with template and resolved prompt in the infotext."""
import pytest

TEMPLATE = "a {cat|dog|horse|cow|owl} in {red|blue|green|white} __light__"
COMBINATORIAL = {"args": {"Dynamic Prompts": [True, True]}}


@pytest.fixture(autouse=True)
def wildcards(rt):
    rt.folders.wildcards.mkdir(exist_ok=True)
    (rt.folders.wildcards / "light.txt").write_text("at dawn\nat noon\nat night\n")


def prompts(job):
    return [image["infotext"].split("\n")[0] for image in job.result["images"]]


def test_every_picture_has_its_own_text_and_both_texts_stand_in_the_infotext(made):
    job = made(prompt=TEMPLATE, n_iter=3, batch_size=2)
    texts = prompts(job)
    assert len(set(texts)) > 2 and all(" at " in text and "{" not in text and "__" not in text for text in texts)
    assert all(f"Template: {TEMPLATE}" in image["infotext"] for image in job.result["images"])


def test_the_same_seed_gives_the_same_text_alone_and_in_a_batch(made):
    texts = prompts(made(prompt=TEMPLATE, seed=5, n_iter=4))
    assert [prompts(made(prompt=TEMPLATE, seed=5 + index))[0] for index in range(4)] == texts


def test_the_resolved_text_is_what_the_picture_is_made_of(made):
    job = made(prompt=TEMPLATE, seed=3)
    again = made(prompt=prompts(job)[0], seed=3)
    assert pixels(job) == pixels(again) and "Template" not in again.result["images"][0]["infotext"]


def pixels(job):
    from PIL import Image

    with Image.open(job.result["images"][0]["path"]) as image:
        return image.convert("RGB").tobytes()


def test_all_combinations_replace_the_number_of_pictures(made):
    job = made(prompt="{a|b} {x|y|z}", batch_size=4, scripts=COMBINATORIAL)
    assert prompts(job) == ["a x", "a y", "a z", "b x", "b y", "b z"]
    assert [image["seed"] for image in job.result["images"]] == [1, 2, 3, 4, 5, 6]


def test_a_second_pass_uses_the_resolved_text(made):
    job = made(prompt=TEMPLATE, seed=3, enable_hr=True)
    assert pixels(job) == pixels(made(prompt=prompts(job)[0], seed=3, enable_hr=True))


def test_a_template_for_the_second_pass_is_resolved_too(made):
    hires = "a {big|small} {cat|dog} __light__"
    job = made(prompt="a cat", hr_prompt=hires, seed=3, enable_hr=True)
    text = job.result["images"][0]["infotext"]
    assert f"Hires template: {hires}" in text
    resolved = text.split("Hires prompt: ")[1].split(", ")[0]
    assert "{" not in resolved and "__" not in resolved
    assert pixels(job) == pixels(made(prompt="a cat", hr_prompt=resolved, seed=3, enable_hr=True))


def test_a_missing_wildcard_stays_and_is_named(made):
    job = made(prompt="a __nothing__")
    assert prompts(job) == ["a __nothing__"] and any("__nothing__" in note for note in job.result["notes"])


def test_switched_off_nothing_is_touched(made):
    assert prompts(made(prompt="a {cat|dog}", scripts={"args": {"Dynamic Prompts": [False]}})) == ["a {cat|dog}"]
