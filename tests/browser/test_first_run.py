"""The first run: a tour that waits for what it asks for, and the model manager."""
import shutil


def test_the_tour_leads_to_a_picture_and_on_to_the_canvas(easel):
    tab = easel.tab
    tab.evaluate("startTour()")
    tab.wait_for_selector("#tour >> text=what you want to see")
    assert tab.input_value("#txt2img_prompt textarea")
    for element, value in (("txt2img_steps", 2), ("txt2img_width", 64), ("txt2img_height", 64)):
        easel.number(element, value)
    tab.click("#tour_next")
    tab.wait_for_selector("#txt2img_generate[data-tour]")
    easel.generate()
    tab.wait_for_selector("#tour >> text=That is your picture", timeout=60_000)
    tab.click("#txt2img_send_to_inpaint")
    tab.wait_for_selector("#tour >> text=Paint over what shall change", timeout=30_000)
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#tour", state="detached")
    assert easel.problems == []


def test_a_model_is_added_by_choosing_its_file(easel, tmp_path):
    tab = easel.tab
    source = next((easel.server.data_dir / "models").rglob("*.safetensors"))
    file = tmp_path / "my lora.safetensors"
    shutil.copy(source, file)
    tab.evaluate("openModelManager()")
    tab.wait_for_selector("#model_manager[data-open]")
    tab.set_input_files("#model_manager input[type=file]", str(file))
    tab.click(".model-upload >> text=Add")
    tab.wait_for_selector(".model-upload >> text=added", timeout=60_000)
    assert (easel.server.data_dir / "models/Lora" / file.name).read_bytes() == file.read_bytes()
    assert easel.problems == []
