"""Files that parts of the program need and people fetch themselves: what each is called, where it belongs, who publishes it."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modules.errors import UserError

GFPGAN_HOME = "https://github.com/TencentARC/GFPGAN/releases/download/v1.3.0"
FACEXLIB_HOME = "https://github.com/xinntao/facexlib/releases/download"
FACE_FOLDERS = ("GFPGAN", "facexlib", "Codeformer", "face_restoration")


@dataclass(frozen=True, kw_only=True)
class KnownFile:
    """`use`: what needs it. `folders`: below models/, the first is where it belongs. `size`: in bytes. `sha256`: "" where not known.

    is_exact: the size is to the byte.
    """

    name: str
    use: str
    folders: tuple[str, ...]
    url: str
    size: int
    sha256: str = ""
    other_names: tuple[str, ...] = ()
    is_exact: bool = True

    @property
    def place(self) -> str:
        """Where it belongs, as people say it."""
        return f"models/{self.folders[0]}"

    @property
    def shown_size(self) -> str:
        if self.size < 1e6:
            return f"{self.size / 1e3:.0f} kB"
        return f"{self.size / 1e9:.2f} GB" if self.size >= 1e9 else f"{self.size / 1e6:.0f} MB"

    @property
    def needs(self) -> str:
        """The sentence that names file, folder, size and source."""
        return f"{self.use} needs {self.name} in {self.place} ({self.shown_size}, from {self.url})."

    def path(self, models: Path) -> Path | None:
        """Where it lies below the folder of models, if it does."""
        candidates = (models / folder / name for folder in self.folders for name in (self.name, *self.other_names))
        return next((path for path in candidates if path.is_file()), None)


class FileMissing(UserError):
    """A file that has to be fetched first."""

    status = 422

    def __init__(self, file: KnownFile):
        self.file = file
        super().__init__(f"{file.use} needs {file.name} in {file.place}.", f"It has {file.shown_size} and comes from {file.url}.",
                         "Put it there, or press Download beside its name in the Extras tab.")


def needed(file: KnownFile, models: Path) -> Path:
    """The path of a file below the folder of models. Raises FileMissing."""
    if (path := file.path(models)) is None:
        raise FileMissing(file)
    return path


GFPGAN_14 = KnownFile(
    name="GFPGANv1.4.pth", use="GFPGAN", folders=FACE_FOLDERS, url=f"{GFPGAN_HOME}/GFPGANv1.4.pth", size=348632874,
    sha256="e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad", other_names=("GFPGANv1.3.pth",))
CODEFORMER = KnownFile(
    name="codeformer-v0.1.0.pth", use="CodeFormer", folders=("Codeformer", *FACE_FOLDERS),
    url="https://github.com/sczhou/CodeFormer/releases/download/v0.1.0/codeformer.pth", size=376637898,
    sha256="1009e537e0c2a07d4cabce6355f53cb66767cd4b4297ec7a4a64ca4b8a5684b7", other_names=("codeformer.pth",))
FACE_DETECTION = KnownFile(
    name="detection_Resnet50_Final.pth", use="Finding faces", folders=FACE_FOLDERS,
    url=f"{FACEXLIB_HOME}/v0.1.0/detection_Resnet50_Final.pth", size=109497761,
    sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d")
FACE_PARSING = KnownFile(
    name="parsing_parsenet.pth", use="Pasting faces back", folders=FACE_FOLDERS, url=f"{FACEXLIB_HOME}/v0.2.2/parsing_parsenet.pth",
    size=85331193, sha256="3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2")

CAPTIONS = KnownFile(
    name="model_base_caption_capfilt_large.pth", use="Captions (BLIP)", folders=("BLIP",),
    url="https://storage.googleapis.com/sfr-vision-language-research/BLIP/models/model_base_caption_capfilt_large.pth", size=896081425,
    sha256="96ac8749bd0a568c274ebe302b3a3748ab9be614c737f3d8c529697139174086", other_names=("model.safetensors", "pytorch_model.bin"))
CAPTION_WORDS = KnownFile(
    name="vocab.txt", use="The words of captions (BLIP)", folders=("BLIP",),
    url="https://huggingface.co/Salesforce/blip-image-captioning-base/resolve/main/vocab.txt", size=231508,
    sha256="07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3")
RANKING = KnownFile(
    name="clip-vit-large-patch14.safetensors", use="Interrogate CLIP", folders=("CLIP",),
    url="https://huggingface.co/openai/clip-vit-large-patch14/resolve/main/model.safetensors", size=1710540580,
    sha256="a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb", other_names=("model.safetensors", "pytorch_model.bin"))
DEEPBOORU = KnownFile(
    name="model-resnet_custom_v3.pt", use="Tags (DeepBooru)", folders=("torch_deepdanbooru", "deepbooru"),
    url="https://github.com/AUTOMATIC1111/TorchDeepDanbooru/releases/download/v1/model-resnet_custom_v3.pt", size=644144887)

SAFETY_CHECKER = KnownFile(
    name="safety_checker.safetensors", use="The safety filter", folders=("safety_checker",), is_exact=False, size=1215981830,
    url="https://huggingface.co/CompVis/stable-diffusion-safety-checker/resolve/main/model.safetensors",
    other_names=("model.safetensors", "pytorch_model.bin"))

KNOWN_FILES = (GFPGAN_14, CODEFORMER, FACE_DETECTION, FACE_PARSING, CAPTIONS, CAPTION_WORDS, RANKING, DEEPBOORU, SAFETY_CHECKER)
