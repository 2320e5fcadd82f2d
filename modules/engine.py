"""Builds the running program from its arguments, and takes it down again."""
from __future__ import annotations

import argparse
import logging
from functools import partial
from pathlib import Path

from modules import (
    downloads,
    img2img,
    interrogation,
    merging,
    model_files,
    model_jobs,
    postprocessing,
    runtime,
    script_callbacks,
    setup_check,
    txt2img,
)
from modules.atomic_files import remove_orphans
from modules.checkpoints.files import CheckpointList
from modules.checkpoints.manager import ModelManager, Room
from modules.checkpoints.placement import Policy
from modules.checkpoints.vae import AUTOMATIC, OWN
from modules.cmd_args import UPSCALER_KINDS
from modules.errors import UserError
from modules.extensions import host
from modules.folders import Folders
from modules.gallery.gallery import Gallery, picture_folders
from modules.generation import folder_batch, hypernetwork_network, lora_network, replay
from modules.generation.inputs import remove_old_inputs
from modules.hardware import Hardware, HardwareOptions
from modules.imaging.clip_ranking import read_categories
from modules.imaging.faces import FaceRestoration
from modules.imaging.interrogate import Interrogator
from modules.imaging.safety import SafetyFilter
from modules.imaging.upscaler_table import UpscalerTable
from modules.import_plan import with_named_folders
from modules.jobs.queue import JobQueue
from modules.jobs.state import JobState
from modules.networks.lora import LoraCatalog
from modules.networks.textual_inversion import EmbeddingTable
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.tokenizer import ClipTokenizer
from modules.runtime import Runtime
from modules.settings.catalog import built_in_options
from modules.settings.store import Options
from modules.styles import StyleTable

log = logging.getLogger("easel")

DEMO_UPSCALER = "easel-demo 2x"


def start(args: argparse.Namespace) -> Runtime:
    """Build the program in its data folder, make it the current one, and start its worker.

    Raises UserError only where nothing can work at all, e.g. when the data folder cannot be made.
    """
    folders = folders_of(args)
    make_folders(folders)
    rt = build(args, folders)
    rt.queue.register(txt2img.KIND, txt2img.run)
    rt.queue.register(img2img.KIND, img2img.run)
    rt.queue.register(folder_batch.KIND, folder_batch.run)
    rt.queue.register(model_jobs.KIND, model_jobs.run)
    rt.queue.register(merging.KIND, merging.run)
    rt.queue.register(model_files.KIND, model_files.run)
    rt.queue.register(downloads.KIND, downloads.run)
    rt.queue.register(interrogation.KIND, interrogation.run)
    rt.queue.register(postprocessing.KIND, postprocessing.run)
    rt.queue.register(replay.KIND, replay.run)
    runtime.use(rt)
    remove_old_inputs(rt)
    lora_network.register()
    hypernetwork_network.register()
    rt.extensions = host.start(folders, rt.settings, args, rt.notice)
    rt.models.on_loaded.append(lambda model: script_callbacks.call("model_loaded", model, note=rt.notice))
    rt.queue.start()
    if "all" not in args.use_cpu and (unused_card := setup_check.graphics_card_notice()):
        log.warning(unused_card)
        rt.notice(unused_card)
    return rt


def stop(rt: Runtime) -> None:
    """End the worker and let go of the models; jobs that wait are offered at the next start."""
    rt.queue.close()
    rt.gallery.close()
    host.stop()
    rt.models.unload()
    rt.upscalers.unload()
    runtime.use(None)


def folders_of(args: argparse.Namespace) -> Folders:
    """The folders that the arguments name."""
    data = Path(args.data_dir).resolve() if args.data_dir else Folders().program
    paths = lambda names: tuple(Path(name).resolve() for name in names or ())
    return Folders(
        data=data, extra_checkpoints=paths(args.ckpt_dir), extra_vae=paths(args.vae_dir), extra_lora=paths(args.lora_dir),
        extra_upscalers=tuple(folder for kind in UPSCALER_KINDS for folder in paths(getattr(args, f"{kind}_models_path"))),
        extra_embeddings=paths(args.embeddings_dir), extra_hypernetworks=paths(args.hypernetwork_dir),
        styles_files=paths(args.styles_file), shown=paths(args.gradio_allowed_path),
        settings_file=Path(args.ui_settings_file).resolve() if args.ui_settings_file else None,
        ui_settings_file=Path(args.ui_config_file).resolve() if args.ui_config_file else None)


def use_named_folders(rt: Runtime) -> None:
    """Look for models in the folders that the settings name now. Upscalers are looked for at the next start."""
    rt.folders = with_named_folders(folders_of(rt.args), rt.settings)
    rt.checkpoints.folders = (rt.folders.checkpoints, *rt.folders.extra_checkpoints)
    rt.checkpoints.refresh()
    rt.loras = LoraCatalog([rt.folders.lora, *rt.folders.extra_lora])
    rt.embeddings.folders = (rt.folders.embeddings, *rt.folders.extra_embeddings)
    rt.embeddings.refresh()
    hypernetwork_network.register()


def make_folders(folders: Folders) -> None:
    """Make the folders where things are expected to be put. Raises UserError when the data folder cannot be written."""
    wanted = (folders.checkpoints, folders.vae, folders.lora, folders.hypernetworks, folders.embeddings, *folders.upscalers,
              folders.outputs, folders.cache, folders.temporary)
    try:
        for folder in wanted:
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (folders.data, folders.cache):
            remove_orphans(folder)
    except OSError as error:
        raise UserError(f"The data folder {folders.data} cannot be written.", f"{error.strerror}.",
                        "Free some space, or choose another folder with --data-dir.") from error


def build(args: argparse.Namespace, folders: Folders) -> Runtime:
    """The parts of the program, none of them at work yet."""
    settings = Options(built_in_options(), folders.config_file, is_frozen=args.freeze_settings)
    settings.load()
    folders = with_named_folders(folders, settings)
    hardware = Hardware.detect(hardware_options(args))
    checkpoints = CheckpointList([folders.checkpoints, *folders.extra_checkpoints], demo=folders.demo_checkpoint,
                                 cache=folders.cache / "hashes.json", hashing=not args.no_hashing, files=named_checkpoint(args))
    models = ModelManager(checkpoints, hardware, looks_for_nan=not args.disable_nan_check)
    models.room_of = lambda: room_of(settings)
    models.policy_of = lambda model: policy_of(args, model)
    queue = JobQueue.open(folders.queue, JobState(), results=folders.results, free_memory=hardware.gc)
    styles = StyleTable(folders.styles_files or [folders.styles_file])
    loras = LoraCatalog([folders.lora, *folders.extra_lora])
    embeddings = EmbeddingTable([folders.embeddings, *folders.extra_embeddings], ClipTokenizer().encode)
    upscalers = UpscalerTable(
        lambda: [*folders.upscalers, *folders.extra_upscalers], hardware, partial(postprocessing.tile_options, settings),
        partial(postprocessing.on_tile, queue.state), bundled={DEMO_UPSCALER: folders.demo_upscaler})
    rt = Runtime(args=args, folders=folders, settings=settings, hardware=hardware, checkpoints=checkpoints, models=models,
                 state=queue.state, queue=queue, styles=styles, embeddings=embeddings, loras=loras, upscalers=upscalers,
                 faces=FaceRestoration(folders.models, hardware, queue.state.check),
                 safety=SafetyFilter(folders.models, hardware, queue.state.check),
                 interrogator=Interrogator(folders.models, folders.interrogate, hardware, queue.state.check),
                 gallery=Gallery(folders.cache / "gallery.sqlite", lambda: picture_folders(settings, folders.data)))
    models.on_loaded.append(lambda model: use_embeddings(rt, model))
    models.vae_of = rt.chosen_vae
    settings.data_labels["sd_vae"].component_args = lambda: {"choices": [AUTOMATIC, OWN, *rt.vae_files()]}
    settings.data_labels["interrogate_clip_skip_categories"].component_args = lambda: {
        "choices": [category.name for category in read_categories(folders.interrogate)]}
    settings.data_labels["upscaler_for_img2img"].component_args = lambda: {"choices": upscalers.names()}
    for name in ("postprocessing_operation_order", "postprocessing_disable_in_extras"):
        settings.data_labels[name].component_args = lambda: {"choices": postprocessing.steps_runner().names()}
    return rt


def room_of(settings: Options) -> Room:
    """How many models stay loaded, as the settings say now."""
    loaded = settings.sd_checkpoints_limit
    return Room(models=loaded + settings.sd_checkpoint_cache, on_device=1 if settings.sd_checkpoints_keep_in_cpu else loaded)


def policy_of(args: argparse.Namespace, model: LatentDiffusion) -> Policy:
    """Which weights of a model lie on the graphics card, as the arguments say."""
    if args.lowvram:
        return "modules"
    return "parts" if args.medvram or (args.medvram_sdxl and model.is_sdxl) else "whole"


def named_checkpoint(args: argparse.Namespace) -> list[Path]:
    """The file of --ckpt, wherever it lies."""
    return [Path(args.ckpt).resolve()] if args.ckpt else []


def hardware_options(args: argparse.Namespace) -> HardwareOptions:
    """What the arguments say of devices and number formats."""
    return HardwareOptions(use_cpu=tuple(args.use_cpu), device_id=args.device_id, precision=args.precision, no_half=args.no_half,
                           no_half_vae=args.no_half_vae)


def use_embeddings(rt: Runtime, model: LatentDiffusion) -> None:
    """Give a freshly loaded model the learned embeddings that fit it."""
    rt.embeddings.refresh(model.architecture.text_width)
    model.cond_stage_model.embeddings = rt.embeddings
