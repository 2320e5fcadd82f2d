"""Where everything lies: the program's own files, and the data folder with models, settings and outputs."""
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Paths of one running program. `data` moves with --data-dir; code, bundled scripts and the demo model stay in `program`.

    The `extra_` tuples hold further folders named on the command line or in the settings; they are searched after the standard one.
    """

    program: Path = PROGRAM
    data: Path = PROGRAM
    extra_checkpoints: tuple[Path, ...] = ()
    extra_vae: tuple[Path, ...] = ()
    extra_lora: tuple[Path, ...] = ()
    extra_embeddings: tuple[Path, ...] = ()
    extra_upscalers: tuple[Path, ...] = ()
    extra_hypernetworks: tuple[Path, ...] = ()
    extra_vae_approx: tuple[Path, ...] = ()
    shown: tuple[Path, ...] = ()  # whose pictures may be fetched by path, beside those of the outputs
    settings_file: Path | None = None
    ui_settings_file: Path | None = None
    styles_files: tuple[Path, ...] = field(default=())

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def checkpoints(self) -> Path:
        return self.models / "Stable-diffusion"

    @property
    def demo_checkpoint(self) -> Path:
        return self.program / "models" / "demo" / "easel-demo.safetensors"

    @property
    def vae(self) -> Path:
        return self.models / "VAE"

    @property
    def lora(self) -> Path:
        return self.models / "Lora"

    @property
    def upscalers(self) -> tuple[Path, ...]:
        return tuple(self.models / name for name in ("ESRGAN", "RealESRGAN", "BSRGAN", "SwinIR", "DAT", "HAT", "ScuNET"))

    @property
    def demo_upscaler(self) -> Path:
        return self.program / "models" / "demo" / "easel-demo-2x.safetensors"

    @property
    def embeddings(self) -> Path:
        return self.data / "embeddings"

    @property
    def hypernetworks(self) -> Path:
        return self.models / "hypernetworks"

    @property
    def vae_approx(self) -> Path:
        return self.models / "VAE-approx"

    @property
    def outputs(self) -> Path:
        return self.data / "outputs"

    @property
    def log(self) -> Path:
        return self.data / "log"

    @property
    def cache(self) -> Path:
        return self.data / "cache"

    @property
    def results(self) -> Path:
        """Pictures that were not to be saved, or could not be, kept until their job is forgotten."""
        return self.cache / "results"

    @property
    def temporary(self) -> Path:
        return self.cache / "tmp"

    @property
    def queue(self) -> Path:
        return self.data / "queue"

    @property
    def plots(self) -> Path:
        """What X/Y/Z plots are made of, and their cells."""
        return self.data / "plots"

    @property
    def history_file(self) -> Path:
        return self.data / "history.sqlite3"

    @property
    def config_file(self) -> Path:
        return self.settings_file or self.data / "config.json"

    @property
    def ui_config_file(self) -> Path:
        return self.ui_settings_file or self.data / "ui-config.json"

    @property
    def styles_file(self) -> Path:
        return self.styles_files[0] if self.styles_files else self.data / "styles.csv"

    @property
    def params_file(self) -> Path:
        return self.data / "params.txt"

    @property
    def hidden(self) -> Path:
        """Originals of pictures that the safety filter hid."""
        return self.data / "hidden"

    @property
    def interrogate(self) -> Path:
        """Lists of texts that CLIP ranks."""
        return self.data / "interrogate"

    @property
    def wildcards(self) -> Path:
        return self.data / "wildcards"

    @property
    def tags(self) -> Path:
        """CSV files of tags that the page completes."""
        return self.data / "tags"

    @property
    def extensions(self) -> Path:
        return self.data / "extensions"

    @property
    def scripts(self) -> Path:
        return self.program / "scripts"
