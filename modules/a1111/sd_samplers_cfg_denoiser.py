"""Guidance under the names of A1111's `sd_samplers_cfg_denoiser`."""
from modules.generation.guided_by_extensions import CFGDenoiser, CFGDenoiserKDiffusion, CFGDenoiserTimesteps
