"""GFPGAN: restores the faces of a picture."""
from modules import scripts_postprocessing
from modules.generation.finishing import faces_restored


class ScriptPostprocessingGfpGan(scripts_postprocessing.ScriptPostprocessing):
    name = "GFPGAN"
    order = 2000

    def ui(self):
        import gradio as gr

        from modules.ui.needed_files import needed_files
        from modules.ui_components import InputAccordion

        with InputAccordion(False, label="GFPGAN", elem_id="extras_gfpgan") as enable:
            gfpgan_visibility = gr.Slider(minimum=0.0, maximum=1.0, step=0.001, label="Visibility", value=1.0,
                                          elem_id="extras_gfpgan_visibility")
            needed_files("GFPGAN", "Finding faces", "Pasting faces back")
        return {"enable": enable, "gfpgan_visibility": gfpgan_visibility}

    def process(self, pp, enable=True, gfpgan_visibility=1.0):
        if not enable or gfpgan_visibility <= 0:
            return
        restored = faces_restored(pp.image, "GFPGAN", visibility=gfpgan_visibility)
        if restored is pp.image:
            pp.notes.append("GFPGAN found no face; the picture stays as it is.")
            return
        pp.image = restored
        pp.info["Postprocess GFPGAN visibility"] = round(gfpgan_visibility, 3)
