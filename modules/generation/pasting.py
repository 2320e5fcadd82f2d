"""Results of img2img put back into the picture they belong to, and the check that nothing outside the mask changed."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from modules import runtime
from modules.atomic_files import write_atomically, write_problem
from modules.errors import UserError
from modules.generation.describe import create_infotext
from modules.generation.finishing import HIDDEN, WATERMARK
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.inpaint import Proof, changed_outside, put_back, uncovered, upscaler_of
from modules.generation.outputs import Destination, Made, samples_folder, save
from modules.generation.script_calls import call_scripts
from modules.imaging import infotext
from modules.imaging.color import apply_color_correction
from modules.imaging.encode import Encoding, png_bytes
from modules.imaging.open_picture import open_picture
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.scripts import PostProcessMaskOverlayArgs

PROOF = "Changed outside mask"
CHANGED_WHOLE = {WATERMARK: "The invisible watermark changes pixels in the whole picture.", HIDDEN: "The safety filter hid the picture."}
NO_OVERLAY = "Overlay original for inpaint is switched off, so the whole picture comes from the network."


class Paste:
    """The way of picture number `index` from the network's pixels to the finished picture.

    `further`: pictures that settings want shown beside it, its mask and its repainted part. `keep`: it will be saved.
    """

    def __init__(self, p: StableDiffusionProcessingImg2Img, index: int, keep: bool):
        self.p, self.index, self.keep = p, index, keep
        self.further: tuple[Image.Image, ...] = ()
        self.proof: Proof | None = None
        self.overlay: Image.Image | None = None

    def back(self, image: Image.Image) -> Image.Image:
        """`image` with its colours corrected, and under the kept part of the original. Scripts may replace mask and overlay."""
        p, opts = self.p, runtime.current().settings
        position = p.indices.index(self.index) if self.index in p.indices else p.batch_index
        event = PostProcessMaskOverlayArgs(position, p.mask_for_overlay, self._original(position) if opts.overlay_inpaint else None)
        call_scripts(p, "postprocess_maskoverlay", event)
        self.overlay = event.overlay_image
        upscale = upscaler_of(opts.upscaler_for_img2img)
        if p.color_corrections and position < len(p.color_corrections):
            if opts.save_images_before_color_correction and self.keep:
                self._save(put_back(image, self.overlay, p.paste_to, upscale), "-before-color-correction")
            image = apply_color_correction(p.color_corrections[position], image)
        whole = put_back(image, self.overlay, p.paste_to, upscale)
        if event.mask_for_overlay is not None:
            self.further = tuple(self._masks(image, event.mask_for_overlay, whole.size))
        return whole

    def _original(self, position: int) -> Image.Image | None:
        overlays = self.p.overlay_images
        return overlays[position % len(overlays)] if overlays else None

    def _masks(self, image: Image.Image, mask: Image.Image, size: tuple[int, int]) -> Iterator[Image.Image]:
        opts = runtime.current().settings
        wishes = ((opts.save_mask, opts.return_mask, "-mask", lambda: mask.convert("RGB")),
                  (opts.save_mask_composite, opts.return_mask_composite, "-mask-composite",
                   lambda: uncovered(image, size, self.p.paste_to, mask)))
        for is_saved, is_shown, suffix, made in wishes:
            if not (is_saved and self.keep) and not is_shown:
                continue
            picture = made()
            picture.picture_index = self.index
            if is_saved and self.keep:
                self._save(picture, suffix)
            if is_shown:
                yield picture

    def _save(self, image: Image.Image, suffix: str) -> None:
        """Write a further picture among those of the run; the job does not count it."""
        p = self.p
        text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, index=self.index, is_result=False)
        save(p, image, self.index, text, Destination(folder=samples_folder(p), keep=True, suffix=suffix))

    def prove(self, image: Image.Image) -> None:
        """Count the changed pixels outside the mask before the picture is encoded; the number goes into its infotext."""
        p = self.p
        placed = p.placed(self.index)
        if p.image_mask is None or placed is None:
            return
        why = next((why for key, why in CHANGED_WHOLE.items() if key in p.extra_generation_params), "") or reason_against(
            placed.placed, image, self.overlay, encoding_of(runtime.current().settings, self.keep))
        changed = 0 if why else changed_outside(placed.placed, self.overlay, image)
        self.proof = Proof(applies=not why, changed=changed, why=why)
        if not why:
            p.proofs[self.index] = str(changed)
            p.extra_generation_params[PROOF] = number_of_changed

    def prove_file(self, image: Image.Image) -> None:
        """Count again in the file that was written, and put what was found on `image` as `proof`, a mapping."""
        if self.proof is not None and self.proof.applies:
            try:
                changed = changed_outside(self.p.placed(self.index).placed, self.overlay, written_picture(image.already_saved_as))
                self.proof = Proof(applies=True, changed=changed)
            except (OSError, ValueError, UserError, AttributeError) as error:
                self.proof = Proof(applies=False, why=f"The file could not be read again ({error}).")
        if self.proof is not None:
            image.proof = asdict(self.proof)


def number_of_changed(*, p: StableDiffusionProcessingImg2Img, index: int, **_: Any) -> str | None:
    """The number that an infotext states, None as long as it is not known."""
    return p.proofs.get(index)


def encoding_of(opts: Any, keep: bool) -> Encoding:
    """How the picture will be encoded; one that is not saved is kept as PNG."""
    return Encoding(format=opts.samples_format if keep else "png", webp_lossless=opts.webp_lossless)


def reason_against(placed: Image.Image, result: Image.Image, overlay: Image.Image | None, encoding: Encoding) -> str:
    """Why nothing can be promised about the pixels outside the mask, "" where it can."""
    if overlay is None:
        return NO_OVERLAY
    if result.size != placed.size or overlay.size != placed.size:
        return "A script changed the size of the picture."
    kind = encoding.format.lower()
    if kind != "png" and not (kind == "webp" and encoding.webp_lossless):
        return f"The file format {kind} does not keep exact values."
    return ""


def written_picture(path: str) -> Image.Image:
    """The picture in a result's file. Raises OSError or UserError."""
    content = runtime.current().unsaved.content(path) if path.startswith(MEMORY_PREFIX) else Path(path).read_bytes()
    return open_picture(content or b"").image


def recall_proofs(pictures: Iterable[Made]) -> None:
    """Give pictures of an earlier run, read back from their files, the proof that their infotexts state."""
    for picture in pictures:
        stated = str(infotext.read_fields(picture.infotext).get(PROOF, ""))
        if stated.isdigit():
            picture.image.proof = asdict(Proof(applies=True, changed=int(stated)))


def save_init_pictures(p: StableDiffusionProcessingImg2Img) -> None:
    """A copy of each picture that the run begins with, named by the MD5 of its pixels, where the settings ask for it.

    Raises UserError when the folder cannot take it.
    """
    rt = runtime.current()
    if not rt.settings.save_init_img:
        return
    folder = rt.folders.data / rt.settings.outdir_init_images
    for picture in p.init_images:
        p.init_img_hash = hashlib.md5(picture.tobytes(), usedforsecurity=False).hexdigest()
        try:
            write_atomically(folder / f"{p.init_img_hash}.png", png_bytes(picture, ""))
        except OSError as error:
            raise write_problem("the copy of the init image", folder, error) from error
