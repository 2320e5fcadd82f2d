"""Samplers under the names of A1111's `sd_samplers`: the table, how names are read, and sampler objects."""
from modules._live import live
from modules.generation.live_sampler import all_samplers, all_samplers_map
from modules.sampling.registry import find_sampler, split_sampler_name
from modules.sd_samplers_common import SamplerData, sample_to_image, samples_to_image_grid

samplers = samplers_for_img2img = all_samplers
samplers_map = {name.lower(): data.name for data in all_samplers for name in (data.name, *data.aliases)}
samplers_hidden: dict = {}


def visible_samplers() -> list[SamplerData]:
    """What the Sampling method list offers."""
    from modules import shared

    return [data for data in samplers if data.name not in shared.opts.hide_samplers]


def visible_sampler_names() -> list[str]:
    """The same by name."""
    return [data.name for data in visible_samplers()]


def find_sampler_config(name: str | None) -> SamplerData:
    """The row of the sampler called `name`; the first row for no name. Raises RequestError."""
    if not name:
        return all_samplers[0]
    return all_samplers_map.get(name) or all_samplers_map[find_sampler(name).name]


def get_sampler_from_infotext(d: dict) -> str | None:
    """The name of the sampler that an infotext means."""
    return d.get("Sampler")


def set_samplers() -> None:
    """Nothing: the lists are always up to date."""


def get_sampler_and_scheduler(sampler_name: str, scheduler_name: str | None, **_) -> tuple[str, str]:
    """Names of the table for names in any accepted form, such as "DPM++ 2M Karras". Raises RequestError."""
    name, implied = split_sampler_name(sampler_name)
    return find_sampler(name).name, implied or scheduler_name or "Automatic"


live(__name__, homes={"create_sampler": "modules.generation.live_sampler:create_sampler"})
