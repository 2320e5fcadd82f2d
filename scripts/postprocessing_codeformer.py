"""CodeFormer: restores the faces of a picture."""
from modules import scripts_postprocessing
from modules.generation.finishing import faces_restored


class ScriptPostprocessingCodeFormer(scripts_postprocessing.ScriptPostprocessing):
    name = "CodeFormer"
    order = 3000

    def ui(self):
        import gradio as gr

        from modules.ui.needed_files import needed_files
        from modules.ui_components import FormRow, InputAccordion

        with InputAccordion(False, label="CodeFormer", elem_id="extras_codeformer") as enable:
            with FormRow():
                visibility = gr.Slider(minimum=0.0, maximum=1.0, step=0.001, label="Visibility", value=1.0,
                                       elem_id="extras_codeformer_visibility")
                weight = gr.Slider(minimum=0.0, maximum=1.0, step=0.001, label="Weight (0 = maximum effect, 1 = minimum effect)", value=0,
                                   elem_id="extras_codeformer_weight")
            needed_files("CodeFormer", "Finding faces", "Pasting faces back")
        return {"enable": enable, "codeformer_visibility": visibility, "codeformer_weight": weight}

    def process(self, pp, enable=True, codeformer_visibility=1.0, codeformer_weight=0.0):
        if not enable or codeformer_visibility <= 0:
            return
        restored = faces_restored(pp.image, "CodeFormer", weight=codeformer_weight, visibility=codeformer_visibility)
        if restored is pp.image:
            pp.notes.append("CodeFormer found no face; the picture stays as it is.")
            return
        pp.image = restored
        pp.info["Postprocess CodeFormer visibility"] = round(codeformer_visibility, 3)
        pp.info["Postprocess CodeFormer weight"] = round(codeformer_weight, 3)
