"""Settings about what is done with finished pictures: faces and the watermark."""
from modules.settings.row import Section, check, radio, slide, text

RESULT_SECTIONS = (
    Section(id="face-restoration", title="Face restoration", category="postprocessing", rows=(
        check("face_restoration", False, "Restore faces", picture=True, info="in every new picture; the networks are third-party files"),
        radio("face_restoration_model", "CodeFormer", "Face restoration model", "CodeFormer", "GFPGAN", infotext="Face restoration",
              picture=True),
        slide("code_former_weight", 0.5, "CodeFormer weight", 0, 1, 0.01, infotext="CodeFormer weight", picture=True,
              info="0: strongest effect, 1: closest to the face as it was"),
        check("face_restoration_unload", False, "Let go of the networks for faces after each picture", info="less memory, more time"),
    )),
    Section(id="watermark", title="Watermark", category="saving", rows=(
        check("invisible_watermark", False, "Add an invisible watermark to pictures", picture=True,
              info="from 256x256 pixels on; it survives PNG and JPEG of quality 95, not a change of the size"),
        text("invisible_watermark_text", "StableDiffusionV1", "Text of the watermark", picture=True,
             info="4 to 32 plain characters; PNG Info reads it"),
    )),
)  # fmt: skip
