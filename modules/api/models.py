"""The forms of the API's requests and answers, for checking and for /docs."""
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS, Field

_TYPES = {"text": "string", "choice": "string", "integer": "integer", "number": "number", "boolean": "boolean", "names": "array",
          "mapping": "object", "values": "array"}

# name, type, default: what clients send beside the fields of the engine. Names of the engine's table are left out of this one,
# so a row here stops counting when the engine learns the field.
API_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("denoising_strength", "number", None),
    ("refiner_checkpoint", "string", None),
    ("refiner_switch_at", "number", None),
    ("firstpass_image", "string", None),
    ("comments", "object", None),
    ("enable_hr", "boolean", False),
    ("firstphase_width", "integer", 0),
    ("firstphase_height", "integer", 0),
    ("hr_scale", "number", 2.0),
    ("hr_upscaler", "string", None),
    ("hr_second_pass_steps", "integer", 0),
    ("hr_resize_x", "integer", 0),
    ("hr_resize_y", "integer", 0),
    ("hr_checkpoint_name", "string", None),
    ("hr_sampler_name", "string", None),
    ("hr_scheduler", "string", None),
    ("hr_prompt", "string", ""),
    ("hr_negative_prompt", "string", ""),
    ("force_task_id", "string", None),
    ("sampler_index", "string", "Euler"),
    ("script_name", "string", None),
    ("script_args", "array", []),
    ("send_images", "boolean", True),
    ("save_images", "boolean", False),
    ("alwayson_scripts", "object", {}),
    ("infotext", "string", None),
)

# The same for POST img2img.
IMAGE_API_FIELDS: tuple[tuple[str, str, Any], ...] = (
    *(row for row in API_FIELDS if not row[0].startswith(("hr_", "enable_hr", "firstphase_"))),
    ("init_images", "array", None),
    ("mask", "string", None),
    ("latent_mask", "string", None),
    ("include_init_images", "boolean", False),
)

# Fields of which the settings, or another field, say what holds when a request leaves them out.
WITHOUT_DEFAULT = ("denoising_strength", "refiner_switch_at")
IMAGE_WITHOUT_DEFAULT = ("refiner_switch_at", "mask_blur", "image_cfg_scale")

# Fields that ask for something the engine cannot do, and what that is.
NEEDED = {"firstpass_image": "a first-pass picture"}


def api_default(field: Field, without: tuple[str, ...] = WITHOUT_DEFAULT) -> Any:
    """What the API documents as the default of a field; None means that the settings or the sampler decide."""
    if field.kind in ("choice", "names") or field.name in without:
        return None
    default = field.api_default if field.api_default is not None else field.default
    return list(default) if isinstance(default, tuple) else default


def request_defaults() -> dict[str, Any]:
    """Every field of POST txt2img with its default."""
    engine = {field.name: api_default(field) for field in TXT2IMG_FIELDS}
    return {**engine, **{name: default for name, _, default in API_FIELDS if name not in engine}}


def image_request_defaults() -> dict[str, Any]:
    """Every field of POST img2img with its default."""
    engine = {field.name: api_default(field, IMAGE_WITHOUT_DEFAULT) for field in IMG2IMG_FIELDS}
    return {**engine, **{name: default for name, _, default in IMAGE_API_FIELDS if name not in engine}}


def request_schema() -> dict[str, Any]:
    """The JSON schema of the body of POST txt2img; `validated` enforces it and more."""
    return _schema("StableDiffusionProcessingTxt2Img", TXT2IMG_FIELDS, API_FIELDS, request_defaults())


def image_request_schema() -> dict[str, Any]:
    """The same for POST img2img."""
    return _schema("StableDiffusionProcessingImg2Img", IMG2IMG_FIELDS, IMAGE_API_FIELDS, image_request_defaults())


def _schema(title: str, fields: tuple[Field, ...], further: tuple[tuple[str, str, Any], ...], defaults: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in fields:
        rule: dict[str, Any] = {"type": _TYPES[field.kind], "title": field.label}
        if field.kind in ("integer", "number"):
            rule |= {name: value for name, value in (("minimum", field.lowest), ("maximum", field.highest)) if value is not None}
        properties[field.name] = rule
    for name, kind, _ in further:
        properties.setdefault(name, {"type": kind, "title": name})
    for name, default in defaults.items():
        properties[name]["nullable"] = True
        if properties[name]["type"] == "array":
            properties[name]["items"] = {"type": "string"} if name == "styles" else {}
        if default is not None:
            properties[name]["default"] = default
    return {"title": title, "type": "object", "properties": properties}


class TextToImageResponse(BaseModel):
    """images: base64 of the files, the grid first if there is one. info: JSON text with seeds, prompts and infotexts."""

    images: list[str] | None = None
    parameters: dict[str, Any]
    info: str


class ImageToImageResponse(TextToImageResponse):
    """The same for POST img2img. `parameters` holds the pictures that came only with include_init_images."""


class PNGInfoResponse(BaseModel):
    """info: the infotext of a picture. items: other texts in its file. parameters: the fields of the infotext."""

    info: str
    items: dict[str, Any]
    parameters: dict[str, Any]


INTERROGATE_REQUEST: dict[str, Any] = {
    "title": "InterrogateRequest", "type": "object", "required": ["image"], "properties": {
        "image": {"type": "string", "title": "Picture as base64"},
        "model": {"type": "string", "title": "clip, deepdanbooru, or the folder of a tagger", "default": "clip"}}}


class InterrogateResponse(BaseModel):
    """caption: what was seen."""

    caption: str


class ExtrasSingleImageResponse(BaseModel):
    """html_info: what was done. image: base64 of the result."""

    html_info: str
    image: str | None = None


class ExtrasBatchImagesResponse(BaseModel):
    html_info: str
    images: list[str]


class ProgressResponse(BaseModel):
    """progress: 0..1, 0 when nothing runs. eta_relative: seconds. current_image: base64 of the preview."""

    progress: float
    eta_relative: float
    state: dict[str, Any]
    current_image: str | None = None
    textinfo: str | None = None


class SamplerItem(BaseModel):
    name: str
    aliases: list[str]
    options: dict[str, str]


class SchedulerItem(BaseModel):
    name: str
    label: str
    aliases: list[str] | None = None
    default_rho: float | None = None
    need_inner_model: bool | None = None


class UpscalerItem(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    name: str
    model_name: str | None = None
    model_path: str | None = None
    model_url: str | None = None
    scale: float | None = None


class LatentUpscalerModeItem(BaseModel):
    name: str


class SDModelItem(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    title: str
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    filename: str
    config: str | None = None


class SDVaeItem(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    filename: str


class HypernetworkItem(BaseModel):
    name: str
    path: str | None = None


class FaceRestorerItem(BaseModel):
    name: str
    cmd_dir: str | None = None


class RealesrganItem(BaseModel):
    name: str
    path: str | None = None
    scale: int | None = None


class ExtensionItem(BaseModel):
    """remote, branch and the commit are "" for a folder that is no clone."""

    name: str
    remote: str
    branch: str
    commit_hash: str
    version: str
    commit_date: str | None = None
    enabled: bool


class PromptStyleItem(BaseModel):
    name: str
    prompt: str | None = None
    negative_prompt: str | None = None


class EmbeddingItem(BaseModel):
    step: int | None = None
    sd_checkpoint: str | None = None
    sd_checkpoint_name: str | None = None
    shape: int
    vectors: int


class EmbeddingsResponse(BaseModel):
    loaded: dict[str, EmbeddingItem]
    skipped: dict[str, EmbeddingItem]


class MemoryResponse(BaseModel):
    ram: dict[str, Any]
    cuda: dict[str, Any]


class ScriptArg(BaseModel):
    """One argument of a script; `value` is what it has when the request leaves it out."""

    label: str | None = None
    value: Any = None
    minimum: Any = None
    maximum: Any = None
    step: Any = None
    choices: Any = None


class ScriptInfo(BaseModel):
    name: str | None = None
    is_alwayson: bool | None = None
    is_img2img: bool | None = None
    args: list[ScriptArg]


class ScriptsList(BaseModel):
    txt2img: list[str]
    img2img: list[str]


def request_model(name: str) -> type[BaseModel]:
    """The model of a request's body with the defaults of all its fields, by the name that extensions know it under."""
    defaults = request_defaults() if "Txt2Img" in name else image_request_defaults()
    fields: dict[str, Any] = {key: (Any, default) for key, default in defaults.items()}
    return create_model(name, __config__=ConfigDict(extra="allow"), **fields)


def __getattr__(name: str) -> Any:
    if name in ("StableDiffusionTxt2ImgProcessingAPI", "StableDiffusionImg2ImgProcessingAPI"):  # names that extensions expect here
        return request_model(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
