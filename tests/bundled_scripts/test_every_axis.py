"""Every axis of the table is plotted once: its values are understood, titled as documented, and no cell fails."""
import pytest
from PIL import Image

from scripts.plots.axis_table import axis_options

# By axis: the text of its values, and the titles that they get.
NUMBERS = {
    "Seed": ("5,6", ["Seed: 5", "Seed: 6"]), "Var. seed": ("5,6", ["Var. seed: 5", "Var. seed: 6"]),
    "Var. strength": ("0-0.2 [2]", ["Var. strength: 0.0", "Var. strength: 0.2"]), "Steps": ("1-2", ["Steps: 1", "Steps: 2"]),
    "Hires steps": ("1-2", ["Hires steps: 1", "Hires steps: 2"]),
    "CFG Scale": ("1-2 (+0.5)", ["CFG Scale: 1.0", "CFG Scale: 1.5", "CFG Scale: 2.0"]),
    "Clip skip": ("1,2", ["Clip skip: 1", "Clip skip: 2"]),
    "Width": ("64", ["Width: 64"]), "Height": ("72", ["Height: 72"])}
WORDS = {
    "Prompt S/R": ('cat, dog, "a, b"', ["cat", "dog", "a, b"]), "Prompt order": ("a, cat", ["a, cat", "cat, a"]),
    "Sampler": ("euler, dpm2 a karras", ["Euler", "DPM2 a Karras"]), "Hires sampler": ("Heun", ["Hires sampler: Heun"]),
    "Checkpoint name": ("tiny-sd1-s2, cebd47c6c9", ["tiny-sd1-s2", None]), "Schedule type": ("Karras", ["Schedule type: Karras"]),
    "Hires upscaler": ("latent, Lanczos", ["Hires upscaler: Latent", "Hires upscaler: Lanczos"]), "VAE": ("Automatic,none", [None, None]),
    "Styles": ("of a plot", [None]), "Face restore": ("false", ["False"]),
    "Always discard next-to-last sigma": ("True,False", [None, None]), "SGM noise multiplier": ("True,False", [None, None]),
    "Refiner checkpoint": ("None, tiny-sd1-s2", [None, None]),
    "RNG source": ("CPU,NV", ["RNG source: CPU", "RNG source: NV"]), "Size": ("64x72, 72x64", ["Size: 64x72", "Size: 72x64"]),
    "Tiling": ("True,False", ["Tiling: True", "Tiling: False"]), "Hires schedule type": ("Karras", ["Hires schedule type: Karras"]),
    "Hires checkpoint": ("tiny-sd1-s2", [None]), "Variation chain": ("1:0.5", ["Variation chain: 1:0.5"])}
VALUES_OF_OTHERS = {"UniPC Order": "1-2", "Resize seed from width": "0,128", "Resize seed from height": "0,128", "Hires upscale": "1.5",
                    "Hires width": "96", "Hires height": "96", "Schedule rho": "5,7",
                    "Schedule min sigma": "0.03", "Schedule max sigma": "14",
                    "Sigma max": "10", "Mask blur": "0,2", "Masked area padding": "0,8"}
NOT_PLOTTED = {"Nothing", "Styles", "FP8 mode"}  # styles have a test of their own; there is no setting for FP8
PLOT = "X/Y/Z plot"


def cases(is_img2img):
    return [axis.label for axis in axis_options if axis.label not in NOT_PLOTTED and axis.fits(is_img2img)
            and (not is_img2img or not axis.fits(False))]


def plotted(make, label, **request):
    text, titles = (NUMBERS | WORDS).get(label, (VALUES_OF_OTHERS.get(label, "0-0.5 [2]"), None))
    args = [label, text, [], "Nothing", "", [], "Nothing", "", [], False, True, False, False, False, False, False, 0, True]
    job = make(PLOT, args, **request)
    assert not [note for note in job.result["notes"] if "fail" in note], job.result["notes"]
    return job, titles


@pytest.mark.parametrize("label", cases(False))
def test_an_axis_of_txt2img_is_plotted(rt, made, label):
    from modules.generation.plots import plot_of_job

    job, titles = plotted(made, label, enable_hr=label.startswith("Hires") or "high-res" in label, hr_scale=1.5, hr_upscaler="Latent",
                          sampler_name="UniPC" if label == "UniPC Order" else "Euler")
    shown = plot_of_job(rt, job).description().axes[0].titles
    assert len([image for image in job.result["images"] if not image["is_grid"]]) == len(shown) >= 1
    assert all(shown)
    if titles is not None:
        assert len(shown) == len(titles)
        assert [title for title, expected in zip(shown, titles) if expected] == [title for title in titles if title]


@pytest.mark.parametrize("label", cases(True))
def test_an_axis_of_img2img_is_plotted(made_of, label):
    mask = Image.new("L", (64, 64), 255) if label.startswith("Mask") else None
    plotted(made_of, label, init_images=[Image.new("RGB", (64, 64), "teal")], mask=mask)


def test_styles_are_an_axis(rt, made):
    rt.styles.save("of a plot", "in oil", "")
    job, _ = plotted(made, "Styles")
    assert len(job.result["images"]) == 2
