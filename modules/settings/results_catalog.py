"""Settings about what is done with finished pictures: faces, words about pictures, watermark, safety filter."""
from modules.settings.row import Section, check, multi, number, radio, slide, text

RESULT_SECTIONS = (
    Section(id="face-restoration", title="Face restoration", category="postprocessing", rows=(
        check("face_restoration", False, "Restore faces", picture=True, info="in every new picture; the networks are third-party files"),
        radio("face_restoration_model", "CodeFormer", "Face restoration model", "CodeFormer", "GFPGAN", infotext="Face restoration",
              picture=True),
        slide("code_former_weight", 0.5, "CodeFormer weight", 0, 1, 0.01, infotext="CodeFormer weight", picture=True,
              info="0: strongest effect, 1: closest to the face as it was"),
        check("face_restoration_unload", False, "Let go of the networks for faces after each picture", info="less memory, more time"),
    )),
    Section(id="interrogate", title="Interrogate", category="postprocessing", rows=(
        check("interrogate_keep_models_in_memory", False, "Keep the networks in memory"),
        check("interrogate_return_ranks", False, "Include ranks of model tags matches in results", info="as weights, e.g. (sky:0.312)"),
        slide("interrogate_clip_num_beams", 1, "BLIP: number of beams", 1, 16, 1),
        slide("interrogate_clip_min_length", 24, "BLIP: caption minimum length", 1, 128, 1),
        slide("interrogate_clip_max_length", 48, "BLIP: caption maximum length", 1, 256, 1),
        number("interrogate_clip_dict_limit", 1500, "CLIP: maximum number of lines in text file", 0, 1_000_000, info="0: no limit"),
        multi("interrogate_clip_skip_categories", (), "CLIP: skip inquire categories"),
        slide("interrogate_deepbooru_score_threshold", 0.5, "deepbooru: score threshold", 0, 1, 0.01),
        check("deepbooru_sort_alpha", True, "deepbooru: sort tags alphabetically", info="else by certainty"),
        check("deepbooru_use_spaces", True, "deepbooru: use spaces in tags", info="else underscores"),
        check("deepbooru_escape", True, "deepbooru: escape (\\) brackets", info="so that they are no emphasis"),
        text("deepbooru_filter_tags", "", "deepbooru: filter out those tags", info="separated by commas"),
    )),
    Section(id="watermark", title="Watermark and safety filter", category="saving", rows=(
        check("invisible_watermark", False, "Add an invisible watermark to pictures", picture=True,
              info="from 256x256 pixels on; it survives PNG and JPEG at 95, not a change of the size"),
        text("invisible_watermark_text", "StableDiffusionV1", "Text of the watermark", picture=True,
             info="4 to 32 plain characters; PNG Info reads it"),
        check("safety_filter", False, "Hide pictures that the safety checker objects to", picture=True,
              info="needs safety_checker.safetensors in models/safety_checker (1.22 GB, from huggingface.co, "
                   "CompVis/stable-diffusion-safety-checker); the original is kept in the folder hidden, previews are not checked"),
    )),
)  # fmt: skip
