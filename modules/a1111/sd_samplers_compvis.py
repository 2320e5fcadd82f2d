"""The oldest samplers under the names of A1111's `sd_samplers_compvis`; extensions derive a class from the one here."""


class VanillaStableDiffusionSampler:
    """A sampler whose steps a class of another package makes."""

    def __init__(self, constructor, sd_model):
        self.sampler = constructor(sd_model)
        self.p = self.conditioning_key = None
        self.is_ddim = hasattr(self.sampler, "p_sample_ddim")
