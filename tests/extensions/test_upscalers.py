"""Upscalers that extensions bring, and the program's own under the names that extensions know."""
import importlib
from collections.abc import Iterator

import pytest
from PIL import Image
from runtime_parts import running

from modules.runtime import Runtime


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with running(tmp_path_factory.mktemp("upscalers") / "data") as parts:
        yield parts


def test_a_class_derived_from_the_base_is_in_every_list_and_enlarges(rt):
    from modules import shared, upscaler

    class Tripled(upscaler.Upscaler):
        name = "Tripled"

        def __init__(self, dirname):
            super().__init__()
            self.scalers = [upscaler.UpscalerData("Tripled 3x", "its file", self, 3)]

        def do_upscale(self, img, selected_model):
            assert selected_model == "its file"
            return img.resize((img.width * 3, img.height * 3), upscaler.NEAREST)

    class Broken(upscaler.Upscaler):
        def __init__(self, dirname):
            raise OSError("no file")

    picture = Image.linear_gradient("L").resize((16, 8)).convert("RGB")
    assert rt.upscalers.names()[-1] == "Tripled 3x"
    assert rt.upscalers.find("tripled 3X")(picture, 3).tobytes() == picture.resize((48, 24), Image.Resampling.NEAREST).tobytes()
    row = next(row for row in shared.sd_upscalers if row.name == "Tripled 3x")
    assert row.scale == 3 and row.scaler.upscale(picture, 2, row.data_path).size == (32, 16)


def test_the_list_begins_with_none_and_each_entry_enlarges(rt):
    from modules import shared

    names = [row.name for row in shared.sd_upscalers]
    assert names[:3] == ["None", "Lanczos", "Nearest"] and "easel-demo 2x" in names
    picture = Image.new("RGB", (16, 8))
    assert [row.scaler.upscale(picture, 2, row.data_path).size for row in shared.sd_upscalers[:3]] == [(16, 8), (32, 16), (32, 16)]


def test_the_step_upscale_can_be_imported_by_name(rt):
    step = importlib.import_module("scripts.postprocessing_upscale").ScriptPostprocessingUpscale()
    from modules.scripts_postprocessing import PostprocessedImage

    pp = PostprocessedImage(Image.new("RGB", (16, 8)))
    step.process(pp, upscale_by=2.0, upscaler_1_name="Nearest")
    assert pp.image.size == (32, 16) and pp.info["Postprocess upscaler"] == "Nearest"
