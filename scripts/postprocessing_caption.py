"""Caption: writes what is seen in a picture into a text file beside it."""
from modules import interrogation, runtime, scripts_postprocessing
from modules.imaging.interrogate import BOORU

TAGS, SENTENCE = "Deepbooru", "BLIP"


class ScriptPostprocessingCaption(scripts_postprocessing.ScriptPostprocessing):
    name = "Caption"
    order = 4040

    def ui(self):
        import gradio as gr

        from modules.ui.needed_files import needed_files
        from modules.ui_components import InputAccordion

        with InputAccordion(False, label="Caption", elem_id="extras_caption") as enable:
            others = (name for name in runtime.current().interrogator.taggers() if name != BOORU)
            option = gr.CheckboxGroup(value=[TAGS], choices=[TAGS, SENTENCE, *others], show_label=False)
            needed_files("Captions (BLIP)", "The words of captions (BLIP)", "Tags (DeepBooru)", "Interrogate CLIP")
        return {"enable": enable, "option": option}

    def process(self, pp, enable=True, option=(TAGS,)):
        if not enable:
            return
        wanted = [option] if isinstance(option, str) else list(option)
        captions = [pp.caption] if pp.caption else []
        for name in wanted:
            if name == SENTENCE:
                captions.append(interrogation.caption_of(pp.image))
            else:
                captions.append(interrogation.described(pp.image, BOORU if name == TAGS else name)[0])
        pp.caption = ", ".join(caption for caption in captions if caption)
