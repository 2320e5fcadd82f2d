"""Samplers under the names of A1111's `sd_samplers`: the table, and how names are read."""
from modules.sampling.registry import SAMPLERS, find_sampler, split_sampler_name

all_samplers = list(SAMPLERS)
samplers = samplers_for_img2img = all_samplers
all_samplers_map = {sampler.name: sampler for sampler in SAMPLERS}
samplers_map = {name.lower(): sampler.name for sampler in SAMPLERS for name in (sampler.name, *sampler.aliases)}


def visible_sampler_names() -> list[str]:
    """What the Sampling method list offers."""
    from modules import shared

    return [sampler.name for sampler in samplers if sampler.name not in shared.opts.hide_samplers]


def find_sampler_config(name: str | None):
    """The row of the sampler called `name`; the first row for no name. Raises RequestError."""
    return find_sampler(name) if name else all_samplers[0]


def get_sampler_and_scheduler(sampler_name: str, scheduler_name: str | None) -> tuple[str, str]:
    """Names of the table for names in any accepted form, such as "DPM++ 2M Karras". Raises RequestError."""
    name, implied = split_sampler_name(sampler_name)
    return find_sampler(name).name, implied or scheduler_name or "Automatic"
