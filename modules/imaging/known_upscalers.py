"""Upscalers that people know by name: the file that each of them needs, where it belongs, and where its makers publish it."""
from dataclasses import dataclass

REALESRGAN = "https://github.com/xinntao/Real-ESRGAN/releases/download"
KAIR = "https://github.com/cszn/KAIR/releases/download/v1.0"
DAT = "https://github.com/n0kovo/dat_upscaler_models/raw/main/DAT"
SWINIR = "https://github.com/JingyunLiang/SwinIR/releases/download/v0.0"


@dataclass(frozen=True, kw_only=True)
class KnownUpscaler:
    """`name` is what lists and infotexts say; `folder` is below models/; `size_mb` is about the size of the file."""

    name: str
    url: str
    folder: str
    scale: int
    size_mb: int

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def needs(self) -> str:
        """What to do to have it."""
        return f"{self.name} needs {self.file} ({self.size_mb} MB, {self.url}) in models/{self.folder}."


def _row(name: str, url: str, folder: str, scale: int, size_mb: int) -> KnownUpscaler:
    return KnownUpscaler(name=name, url=url, folder=folder, scale=scale, size_mb=size_mb)


REAL_ESRGAN_MODELS = (
    _row("R-ESRGAN General 4xV3", f"{REALESRGAN}/v0.2.5.0/realesr-general-x4v3.pth", "RealESRGAN", 4, 5),
    _row("R-ESRGAN General WDN 4xV3", f"{REALESRGAN}/v0.2.5.0/realesr-general-wdn-x4v3.pth", "RealESRGAN", 4, 5),
    _row("R-ESRGAN AnimeVideo", f"{REALESRGAN}/v0.2.5.0/realesr-animevideov3.pth", "RealESRGAN", 4, 3),
    _row("R-ESRGAN 4x+", f"{REALESRGAN}/v0.1.0/RealESRGAN_x4plus.pth", "RealESRGAN", 4, 67),
    _row("R-ESRGAN 4x+ Anime6B", f"{REALESRGAN}/v0.2.2.4/RealESRGAN_x4plus_anime_6B.pth", "RealESRGAN", 4, 18),
    _row("R-ESRGAN 2x+", f"{REALESRGAN}/v0.2.1/RealESRGAN_x2plus.pth", "RealESRGAN", 2, 67),
)

KNOWN_UPSCALERS = (
    *REAL_ESRGAN_MODELS,
    _row("ESRGAN_4x", f"{KAIR}/ESRGAN.pth", "ESRGAN", 4, 67),
    _row("ScuNET GAN", f"{KAIR}/scunet_color_real_gan.pth", "ScuNET", 1, 72),
    _row("ScuNET PSNR", f"{KAIR}/scunet_color_real_psnr.pth", "ScuNET", 1, 72),
    _row("SwinIR 4x", f"{SWINIR}/003_realSR_BSRGAN_DFOWMFC_s64w8_SwinIR-L_x4_GAN.pth", "SwinIR", 4, 143),
    _row("DAT x2", f"{DAT}/DAT_x2.pth", "DAT", 2, 60),
    _row("DAT x3", f"{DAT}/DAT_x3.pth", "DAT", 3, 60),
    _row("DAT x4", f"{DAT}/DAT_x4.pth", "DAT", 4, 60),
)
BY_FILE = {known.file.lower(): known for known in KNOWN_UPSCALERS}


def known_upscaler(name: str) -> KnownUpscaler | None:
    """The known upscaler of that name, whatever its case."""
    return next((known for known in KNOWN_UPSCALERS if known.name.lower() == name.lower()), None)
