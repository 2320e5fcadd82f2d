"""Settings about what is done with finished pictures: the watermark and the safety filter."""
from modules.settings.row import Section, check, text

RESULT_SECTIONS = (
    Section(id="watermark", title="Watermark", category="saving", rows=(
        check("invisible_watermark", False, "Add an invisible watermark to pictures", picture=True,
              info="from 256x256 pixels on; it survives PNG and JPEG of quality 95, not a change of the size"),
        text("invisible_watermark_text", "StableDiffusionV1", "Text of the watermark", picture=True,
             info="4 to 32 plain characters; PNG Info reads it"),
    )),
)  # fmt: skip
