"""Networks run with care: broken numbers and a lack of memory are answered, told, and leave no trace."""
import dataclasses

import pytest
import torch
from small_families import SMALL, model_of
from weight_stations import Watched

from modules.checkpoints.execution import Care, CarefulExecution
from modules.checkpoints.placement import Placement
from modules.hardware import Hardware, HardwareOptions, is_out_of_memory
from modules.nn.unet import UNetModel
from modules.nn.vae import Decoder, Encoder
from modules.prompt.conditioning import Conditioning

CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))
ROWS = 4


@pytest.fixture
def model():
    model = model_of(SMALL["sd1"])
    model.execution = CarefulExecution(CPU)
    return model


@pytest.fixture
def lacking(monkeypatch):
    """lacking(network, when) lets a network run out of memory wherever when(its input) says so."""
    def lack(network, when):
        forward = network.forward

        def limited(self, x, *args, **kwargs):
            if when(x):
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return forward(self, x, *args, **kwargs)
        monkeypatch.setattr(network, "forward", limited)
    return lack


def predict(model):
    x = torch.linspace(-1, 1, ROWS * 4 * 64).view(ROWS, 4, 8, 8)
    text = torch.linspace(-1, 1, ROWS * 77 * 16).view(ROWS, 77, 16)
    return model.apply_model(x, torch.full((ROWS,), 300.0), Conditioning(crossattn=text))


def care(**changes) -> tuple[Care, list[str]]:
    notes: list[str] = []
    return Care(note=notes.append, **changes), notes


def test_a_lack_that_passes_changes_nothing(model, lacking):
    wanted, calls = predict(model), []
    lacking(UNetModel, lambda x: calls.append(len(x)) or len(calls) == 1)
    mine, notes = care()
    with model.execution.under(mine):
        assert torch.equal(predict(model), wanted)
    assert notes == ["Memory ran out: what was not in use was freed."] and not mine.savings


@pytest.mark.parametrize("at_once, notes_more", [(2, 1), (1, 2)])
def test_the_unet_takes_fewer_rows_until_it_has_enough_memory(model, lacking, at_once, notes_more):
    wanted, seen = predict(model), []
    lacking(UNetModel, lambda x: seen.append(len(x)) or len(x) > at_once)
    mine, notes = care()
    with model.execution.under(mine):
        assert torch.allclose(predict(model), wanted, atol=1e-5)
        seen.clear()
        predict(model)
    assert set(seen) == {at_once} and len(notes) == 1 + notes_more and mine.savings == f"{at_once} at once"
    assert notes[-1] == f"Memory was short: the U-Net worked on {at_once} of {ROWS} rows of a batch at once."


@pytest.mark.parametrize("of", ["decode", "encode"])
def test_the_vae_works_in_tiles_where_the_whole_does_not_fit(model, lacking, of):
    given = torch.rand(1, 4, 40, 24) if of == "decode" else torch.rand(1, 3, 320, 192) * 2 - 1
    run = lambda: model.decode_first_stage(given) if of == "decode" else model.encode_first_stage(given).mean
    wanted = run()
    lacking(Decoder if of == "decode" else Encoder, lambda x: True)
    mine, notes = care(tile_px=256)
    with model.execution.under(mine):
        assert (run() - wanted).abs().max() < 1e-4
    assert notes[1:] == ["Memory was short: the VAE worked in tiles of 256 x 256 pixels."] and mine.savings == "VAE tiles of 256 px"


def test_tiles_become_smaller_until_they_fit(model, lacking):
    latent, wide = torch.rand(1, 4, 34, 34), torch.nn.Conv2d
    wanted = model.decode_first_stage(latent)
    lacking(wide, lambda x: x.shape[-1] > 120)
    mine, notes = care(tile_px=512)
    with model.execution.under(mine):
        assert (model.decode_first_stage(latent) - wanted).abs().max() < 1e-4
    assert [note.split()[-4] for note in notes[1:]] == ["256", "128"] and mine.tiled_px == 128


def test_tiles_can_be_had_always_or_never(model, lacking):
    latent, told = torch.rand(1, 4, 40, 40), []
    mine, notes = care(vae_tiling="Always", tile_px=128, on_tile=lambda done, count: told.append(done))
    with model.execution.under(mine):
        model.decode_first_stage(latent)
    assert told and not notes
    lacking(Decoder, lambda x: True)
    with model.execution.under(care(vae_tiling="Off")[0]), pytest.raises(torch.OutOfMemoryError):
        model.decode_first_stage(latent)


def test_automatic_tiles_where_there_is_not_memory_for_the_whole(model):
    small = dataclasses.replace(CPU)
    object.__setattr__(small, "free_memory", lambda: 1000)
    model.execution = CarefulExecution(small)
    told = []
    mine, notes = care(tile_px=128, on_tile=lambda done, count: told.append(done))
    with model.execution.under(mine):
        model.decode_first_stage(torch.rand(1, 4, 40, 40))
    assert told and mine.savings == "VAE tiles of 128 px" and len(notes) == 1


def test_weights_leave_the_device_as_the_last_resort_and_come_back(model, lacking):
    placement = model.execution.placements[id(model)] = Placement(model, Watched())
    placement.follow("whole")
    wanted = predict(model)
    lacking(UNetModel, lambda x: placement.policy != "modules")
    mine, notes = care()
    with model.execution.under(mine):
        assert torch.allclose(predict(model), wanted, atol=1e-5)
    assert mine.policy == "modules" and notes[-1].endswith("all but one block of the U-Net that were not at work waited in main memory.")


def test_where_nothing_helps_the_lack_is_told_without_the_tensors_of_its_frames(model, lacking):
    lacking(UNetModel, lambda x: True)
    with model.execution.under(care()[0]), pytest.raises(torch.OutOfMemoryError) as failure:
        predict(model)
    assert not any(entry.name == "limited" for entry in failure.traceback)


def test_other_errors_pass_at_once(model, monkeypatch):
    calls = []
    def broken(*args, **kwargs):
        calls.append(1)
        raise RuntimeError("shapes do not fit")
    monkeypatch.setattr(UNetModel, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        predict(model)
    assert len(calls) == 1 and not is_out_of_memory(RuntimeError("shapes do not fit"))


# Numbers

def halved(model):
    model.model.bfloat16()
    model.first_stage_model.bfloat16()
    return {name: parameter.clone() for name, parameter in model.named_parameters()}


@pytest.fixture
def overflowing(monkeypatch):
    """overflowing(network) lets it give broken numbers as long as its weights are of 16 bits."""
    def overflow(network):
        forward = network.forward

        def limited(self, x, *args, **kwargs):
            made = forward(self, x, *args, **kwargs)
            return made if next(self.parameters()).dtype == torch.float32 else made * float("nan")
        monkeypatch.setattr(network, "forward", limited)
    return overflow


def test_a_unet_that_overflows_goes_on_in_float32_once_and_its_weights_come_back(model, overflowing):
    before = halved(model)
    overflowing(UNetModel)
    mine, notes = care()
    with model.execution.under(mine):
        assert predict(model).isfinite().all() and predict(model).isfinite().all() and model.dtype == torch.float32
    assert notes == ["The U-Net overflowed in half precision; it went on in float32."]
    after = dict(model.named_parameters())
    assert all(after[name].dtype == before[name].dtype and torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("network, word", [(Decoder, "decoded"), (Encoder, "encoded")])
def test_a_vae_that_overflows_does_its_work_again_in_float32(model, overflowing, network, word):
    before = halved(model)
    overflowing(network)
    mine, notes = care()
    with model.execution.under(mine):
        made = model.decode_first_stage(torch.rand(1, 4, 8, 8)) if network is Decoder else \
            model.encode_first_stage(torch.rand(1, 3, 64, 64)).mean
    assert made.isfinite().all() and f"picture was {word} again in float32" in notes[0]
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


def test_nobody_looks_for_broken_numbers_where_that_is_switched_off(model, overflowing):
    halved(model)
    overflowing(UNetModel)
    overflowing(Decoder)
    model.execution.looks_for_nan = False
    assert predict(model).isnan().all()
    model.execution.looks_for_nan = True
    with model.execution.under(care(widens_vae=False)[0]):
        assert model.decode_first_stage(torch.rand(1, 4, 8, 8)).isnan().all()
