"""img2img alternative test: the noise that would have made the picture is found, and sampled from with other words."""
import hashlib

from modules import processing, scripts
from modules.generation.passes import sampling_options
from modules.sampling.passes import levels_of
from scripts.parts.reversal import Reversal, reversed_noise


class Script(scripts.Script):
    """With the prompt of the picture itself it comes back almost unchanged."""

    def __init__(self):
        self.known = None

    def title(self):
        return "img2img alternative test"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        import gradio as gr  # here, since a server without a page starts sooner without it

        info = gr.HTML("<p>At CFG scale 1 to 2 and with the prompt of the picture as the original prompt, small changes of the prompt "
                       "make small changes of the picture.</p>")
        switch = lambda item, label, value=True: gr.Checkbox(value, label=label, elem_id=self.elem_id(item))
        sampler = switch("override_sampler", "Override `Sampling method` to Euler?(this method is built for it)")
        prompt = switch("override_prompt", "Override `prompt` to the same value as `original prompt`?(and `negative prompt`)")
        original = gr.Textbox("", label="Original prompt", lines=1, elem_id=self.elem_id("original_prompt"))
        negative = gr.Textbox("", label="Original negative prompt", lines=1, elem_id=self.elem_id("original_negative_prompt"))
        override_steps = switch("override_steps", "Override `Sampling Steps` to the same value as `Decode steps`?")
        steps = gr.Slider(1, 150, value=50, step=1, label="Decode steps", elem_id=self.elem_id("st"))
        strength = switch("override_strength", "Override `Denoising strength` to 1?")
        cfg = gr.Slider(0, 15, value=1.0, step=0.1, label="Decode CFG scale", elem_id=self.elem_id("cfg"))
        randomness = gr.Slider(0, 1, value=0.0, step=0.01, label="Randomness", elem_id=self.elem_id("randomness"))
        adjustment = switch("sigma_adjustment", "Sigma adjustment for finding noise for image", False)
        return [info, sampler, prompt, original, negative, override_steps, steps, strength, cfg, randomness, adjustment]

    def run(self, p, _info, override_sampler, override_prompt, prompt, negative_prompt, override_steps, steps, override_strength, cfg,
            randomness, sigma_adjustment):
        if override_sampler:
            p.sampler_name, p.scheduler = "Euler", "Automatic"
        if override_prompt:
            p.prompt, p.negative_prompt = prompt, negative_prompt
        if override_steps:
            p.steps = int(steps)
        if override_strength:
            p.denoising_strength = 1.0
        wish = Reversal(prompt=prompt.strip(), negative_prompt=negative_prompt.strip(), steps=int(steps), cfg_scale=cfg,
                        sigma_adjustment=bool(sigma_adjustment))
        p.extra_generation_params |= {
            "Decode prompt": prompt, "Decode negative prompt": negative_prompt, "Decode CFG scale": cfg, "Decode steps": steps,
            "Randomness": randomness, "Sigma Adjustment": sigma_adjustment}

        def sample(conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
            options = sampling_options(p)
            levels = levels_of(p.sd_model, options)
            found = self.noise(p, wish, levels, options)
            start = mixed(found, p.rng.first(), float(randomness)) if randomness else found
            # The pass adds noise at its highest level to the latent: without the latent's share it begins with the noise alone.
            return p.sample_from(start - p.init_latent / levels.sigma_max, conditioning, unconditional_conditioning)

        p.sample = sample
        return processing.process_images(p)

    def noise(self, p, wish, levels, options):
        """The noise of the present picture, found once for equal wishes and noise levels."""
        pixels = hashlib.sha256(p.init_latent.cpu().numpy().tobytes()).hexdigest()
        levels_by = options.sd_noise_schedule, options.use_downcasted_alpha_bar, options.enable_quantization
        key = (pixels, str(p.sd_model.checkpoint.path), wish, levels_by)
        if self.known is None or self.known[0] != key:
            self.known = key, reversed_noise(p, p.init_latent, wish, levels)
        return self.known[1]


def mixed(found, random, share):
    """`share` of random noise in the noise that was found, at the same size."""
    return ((1 - share) * found + share * random) / (share**2 + (1 - share)**2) ** 0.5
