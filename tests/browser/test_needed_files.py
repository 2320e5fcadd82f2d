"""Files that are missing are named where they are needed; those that are there work: tags of a picture become the prompt."""
import pytest
from PIL import Image
from small_taggers import write_deepbooru

pytestmark = pytest.mark.browser
ROWS = "#extras_gfpgan .needed-file"


def test_what_gfpgan_needs_is_named_with_folder_size_and_source_until_it_is_there(easel):
    easel.tab.click("#tab_extras-button")
    easel.tab.check("#extras_gfpgan-checkbox input")
    easel.tab.wait_for_selector(ROWS)
    assert easel.tab.locator(ROWS).count() == 3
    assert easel.tab.inner_text(f"{ROWS} >> nth=0").startswith("GFPGAN needs GFPGANv1.4.pth in models/GFPGAN (349 MB, from github.com).")
    easel.tab.click(f"{ROWS} >> nth=1 >> button")  # this machine has no network: the reason is said, and the file can be asked for again
    easel.wait_for("() => document.body.innerText.includes('could not be downloaded')", 60)
    easel.wait_for("() => document.querySelectorAll('#extras_gfpgan .needed-file button').length === 3")
    assert set(easel.server.attempts()) == {"github.com"}
    easel.server.forget_attempts()


def test_tags_of_the_picture_become_the_prompt(easel, tmp_path):
    easel.tab.click("#tab_img2img-button")
    easel.tab.click("#deepbooru")
    easel.wait_for("() => document.body.innerText.includes('There is no picture here to describe.')")
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "picture.png")
    easel.wait_for("() => canvasOf('img2img_image')")
    easel.tab.evaluate("async (bytes) => canvasOf('img2img_image').load(new File([new Uint8Array(bytes)], 'a.png', {type: 'image/png'}))",
                       list((tmp_path / "picture.png").read_bytes()))
    easel.tab.click("#deepbooru")
    easel.wait_for("() => document.body.innerText.includes('needs model-resnet_custom_v3.pt in models/torch_deepdanbooru')")
    write_deepbooru(easel.server.data_dir / "models" / "torch_deepdanbooru")
    easel.wait_for("() => !byId('deepbooru').hasAttribute('aria-busy')")
    easel.tab.click("#deepbooru")
    easel.wait_for("() => textareaOf('img2img_prompt').value.startsWith('tag ')")
