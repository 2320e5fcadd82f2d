"""Always-on scripts of other servers that are fields here."""
import pytest

from modules.api.form_scripts import with_fields_of_scripts
from modules.errors import RequestError


def fields(**scripts):
    return with_fields_of_scripts({"seed": 3, "alwayson_scripts": {name: {"args": args} for name, args in scripts.items()}})


def test_refiner_seed_and_sampler_become_fields_and_other_scripts_stay():
    found = fields(Refiner=[True, "b", 0.5], seed=[7, True, 8, 0.4, 512, 0], sampler=[9, "LMS", "Karras"], other=[1])
    assert found == {
        "seed": 7, "refiner_checkpoint": "b", "refiner_switch_at": 0.5, "subseed": 8, "subseed_strength": 0.4, "seed_resize_from_w": 512,
        "seed_resize_from_h": 0, "steps": 9, "sampler_name": "LMS", "scheduler": "Karras", "alwayson_scripts": {"other": {"args": [1]}}}


def test_what_is_switched_off_does_not_count():
    assert fields(refiner=[False, "b", 0.5], seed=[7, False, 8, 0.4]) == {"seed": 7, "alwayson_scripts": {}}
    assert with_fields_of_scripts({"seed": 3}) == {"seed": 3}


@pytest.mark.parametrize("args", [None, 5, "x", [1, 2, 3, 4]])
def test_arguments_of_another_form_are_refused(args):
    with pytest.raises(RequestError, match="list of at most 3"):
        fields(refiner=args)
