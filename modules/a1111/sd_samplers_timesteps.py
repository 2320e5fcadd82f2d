"""Samplers over timesteps under the names of A1111's `sd_samplers_timesteps`."""
from modules.generation.guided_by_extensions import CFGDenoiserTimesteps, InnerModel
from modules.generation.live_sampler import CompVisSampler, all_samplers
from modules.sampling.registry import SAMPLERS

samplers_data_timesteps = [data for data, row in zip(all_samplers, SAMPLERS) if row.kind == "timestep"]


class CompVisTimestepsDenoiser(InnerModel):
    """The network that predicts the noise."""


class CompVisTimestepsVDenoiser(InnerModel):
    """The network that predicts v."""
