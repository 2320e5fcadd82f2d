"""Samplers over noise levels under the names of A1111's `sd_samplers_kdiffusion`."""
from modules.generation.guided_by_extensions import CFGDenoiser, CFGDenoiserKDiffusion
from modules.generation.live_sampler import KDiffusionSampler, all_samplers
from modules.sampling.registry import SAMPLERS

samplers_k_diffusion = [(row.name, row.name, list(row.aliases), row.api_options) for row in SAMPLERS if row.kind != "timestep"]
samplers_data_k_diffusion = [data for data, row in zip(all_samplers, SAMPLERS) if row.kind != "timestep"]
k_diffusion_samplers_map = {data.name: data for data in samplers_data_k_diffusion}
sampler_extra_params = {f"sample_{row.name}": list(row.options) for row in SAMPLERS}
