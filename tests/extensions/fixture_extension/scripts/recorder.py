"""Uses every hook and callback, and writes down their order and arguments. Tests read EVENTS and set FAILING, WISHES."""
import gradio as gr

from modules import processing, script_callbacks, scripts, shared

EVENTS = []
FAILING = set()
WISHES = {}
BASEDIR = scripts.basedir()


def happened(name, **details):
    EVENTS.append((name, details))
    if name in WISHES:
        WISHES[name](details)
    if name in FAILING:
        raise ValueError(f"{name} went wrong")


class Recorder(scripts.Script):
    def title(self):
        return "Hook Recorder"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with gr.Accordion("Hook Recorder", open=False):
            word = gr.Textbox("plain", label="Word", elem_id=self.elem_id("word"))
            kind = gr.Dropdown(["a", "b", "c"], value="b", type="index", label="Kind")
            count = gr.Slider(0, 10, value=3, step=1, label="Count")
        self.infotext_fields = [(word, "Recorder word")]
        return [word, kind, count]

    def setup(self, p, *args):
        happened("setup", p=p, args=args)

    def before_process(self, p, *args):
        happened("before_process", p=p, args=args, loaded=getattr(p, "checkpoint", None))

    def process(self, p, *args):
        happened("process", p=p, args=args, prompts=list(p.all_prompts), seeds=list(p.all_seeds))

    def before_process_batch(self, p, *args, **kwargs):
        happened("before_process_batch", p=p, args=args, same_list=kwargs["prompts"] is p.prompts, **kwargs)

    def after_extra_networks_activate(self, p, *args, **kwargs):
        happened("after_extra_networks_activate", p=p, args=args, **kwargs)

    def process_batch(self, p, *args, **kwargs):
        happened("process_batch", p=p, args=args, has_conditions=bool(p.c), **kwargs)

    def process_before_every_sampling(self, p, *args, **kwargs):
        happened("process_before_every_sampling", p=p, args=args, hires=p.is_hr_pass, **kwargs)

    def before_hr(self, p, *args):
        happened("before_hr", p=p, args=args, hires=p.is_hr_pass)

    def on_mask_blend(self, p, mba, *args):
        happened("on_mask_blend", p=p, args=args, event=mba, final=mba.is_final_blend)

    def post_sample(self, p, ps, *args):
        happened("post_sample", p=p, args=args, event=ps, shape=tuple(ps.samples.shape))

    def postprocess_batch(self, p, *args, **kwargs):
        happened("postprocess_batch", p=p, args=args, **kwargs)

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        happened("postprocess_batch_list", p=p, args=args, event=pp, **kwargs)

    def postprocess_image(self, p, pp, *args):
        happened("postprocess_image", p=p, args=args, event=pp)

    def postprocess_maskoverlay(self, p, ppmo, *args):
        happened("postprocess_maskoverlay", p=p, args=args, event=ppmo)

    def postprocess_image_after_composite(self, p, pp, *args):
        happened("postprocess_image_after_composite", p=p, args=args, event=pp)

    def postprocess(self, p, processed, *args):
        happened("postprocess", p=p, args=args, event=processed, images=len(processed.images))


class SeveralRuns(scripts.Script):
    def title(self):
        return "Several Runs"

    def ui(self, is_img2img):
        return [gr.Slider(1, 4, value=2, step=1, label="Runs"), gr.Checkbox(False, label="Break")]

    def run(self, p, runs, breaks):
        if breaks:
            raise ValueError("the script broke")
        shared.state.job_count = runs
        images, texts, seeds = [], [], []
        for number in range(runs):
            p.seed, p.prompt = 100 + number, f"run {number}"
            one = processing.process_images(p)
            images += one.images
            texts += one.infotexts
            seeds += one.all_seeds
        return processing.Processed(p, images, seeds[0], texts[0], infotexts=texts, all_seeds=seeds)


def listen(event):
    def callback(params):
        happened(event, event=params)
    getattr(script_callbacks, f"on_{event}")(callback)


for _event in ("cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "before_image_saved", "image_saved", "image_grid", "extra_noise",
               "model_loaded"):
    listen(_event)


def add_settings():
    for key, default in (("recorder_colour", "red"), ("img2img_extra_noise", 0.0)):
        shared.opts.add_option(key, shared.OptionInfo(default, key, section=("recorder", "Recorder")))


script_callbacks.on_ui_settings(add_settings)
script_callbacks.on_before_ui(lambda: happened("before_ui"))
script_callbacks.on_script_unloaded(lambda: happened("script_unloaded"))
