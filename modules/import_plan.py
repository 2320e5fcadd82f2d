"""What using another program's models and settings would change here, to be shown first, and the changing itself."""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modules.atomic_files import write_atomically, write_problem
from modules.errors import UserError
from modules.existing_installation import Installation, ModelFolder, read_json
from modules.folders import Folders
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS, Field
from modules.sampling.registry import split_sampler_name
from modules.settings.networks_catalog import MODEL_FOLDERS
from modules.settings.store import Options
from modules.styles import Style, StyleTable

PARTS = ("folders", "settings", "form", "styles")
FIELDS = {"txt2img": TXT2IMG_FIELDS, "img2img": IMG2IMG_FIELDS}
PROPERTIES = ("value", "minimum", "maximum", "step", "visible")
SAMPLER, SCHEDULE = "Sampling method", "Schedule type"
# What another program notes about its own state, and what names its own folders.
NOT_TAKEN = {"sd_checkpoint_hash", "disabled_extensions", "disable_all_extensions", "temp_dir", "ckpt_dir", "vae_dir", "lora_dir",
             "lyco_dir", "embeddings_dir", "hypernetwork_dir", *MODEL_FOLDERS}


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an import changes."""

    settings: Options
    folders: Folders
    styles: StyleTable


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that becomes another. problem: why it stays as it is, or ""."""

    key: str
    label: str
    before: Any
    after: Any
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ImportPlan:
    """All differences, by part. kept: settings that nothing here knows; they are stored, for extensions may."""

    installation: Installation
    folders: tuple[ModelFolder, ...] = ()
    used_already: tuple[ModelFolder, ...] = ()
    settings: tuple[Change, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)
    form: tuple[Change, ...] = ()
    styles: tuple[Style, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.folders or self.kept or self.form or self.styles or any(not change.problem for change in self.settings))


def plan_of(installation: Installation, target: Target) -> ImportPlan:
    """Compare what was found with what is here. Files that cannot be read become notes."""
    used = {path.resolve() for path in searched_folders(target.folders)}
    new = tuple(folder for folder in installation.folders if folder.path not in used)
    notes: list[str] = []
    settings, kept = _settings_changes(_read(installation.config, notes), target.settings)
    form = _form_changes(_read(installation.form_defaults, notes), _present_form(target.folders.ui_config_file))
    return ImportPlan(
        installation=installation, folders=new, used_already=tuple(folder for folder in installation.folders if folder not in new),
        settings=tuple(settings), kept=kept, form=tuple(form), styles=tuple(_new_styles(installation.styles, target.styles, notes)),
        notes=tuple(notes))


def searched_folders(folders: Folders) -> list[Path]:
    """All folders in which models are looked for."""
    standard = (folders.checkpoints, folders.vae, folders.lora, folders.embeddings, folders.hypernetworks, folders.vae_approx)
    further = [path for name in MODEL_FOLDERS.values() for path in getattr(folders, name)]
    return [*standard, *folders.upscalers, *further]


def with_named_folders(folders: Folders, settings: Options) -> Folders:
    """The folders, with those that the settings name behind them."""
    changed: dict[str, Any] = {}
    for key, name in MODEL_FOLDERS.items():
        named = (Path(text).expanduser() for text in settings.data[key] if text.strip())
        changed[name] = tuple(dict.fromkeys((*getattr(folders, name), *named)))
    return replace(folders, **changed)


def apply_plan(plan: ImportPlan, target: Target, parts: Iterable[str] = PARTS) -> list[str]:
    """Make the changes of these parts; says what was done. Raises UserError when a file cannot be written, or settings are frozen."""
    parts, said = set(parts), []
    if target.settings.is_frozen and parts & {"folders", "settings"}:
        raise UserError("Settings cannot be changed.", "The program was started with --freeze-settings.", "Start it without that flag.")
    if "folders" in parts and plan.folders:
        _name_folders(plan.folders, target.settings)
        said.append(f"Used in place: {_count(sum(folder.files for folder in plan.folders), 'file')} in "
                    f"{_count(len(plan.folders), 'folder')}.")
    if "settings" in parts and (taken := _take_settings(plan, target.settings)):
        said.append(f"{_count(taken, 'setting')} changed.")
    if "form" in parts and plan.form:
        _store_form(plan.form, target.folders.ui_config_file)
        said.append(f"{_count(len(plan.form), 'default')} of the form changed.")
    if "styles" in parts and plan.styles:
        target.styles.save_all(plan.styles)
        said.append(f"{_count(len(plan.styles), 'style')} taken over.")
    return said or ["Nothing was left to change."]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _read(path: Path | None, notes: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return read_json(path)
    except UserError as error:
        notes.append(str(error))
        return {}


# Settings

def _settings_changes(found: Mapping[str, Any], settings: Options) -> tuple[list[Change], dict[str, Any]]:
    changes, kept = [], {}
    for key, raw in found.items():
        value = raw.replace("\\", "/") if key == "sd_model_checkpoint" and isinstance(raw, str) else raw
        option = settings.data_labels.get(key)
        if key in NOT_TAKEN:
            continue
        if option is None:
            if settings.data.get(key) != value:
                kept[key] = value
            continue
        if option.do_not_save:
            continue
        before = settings.data.get(key)
        try:
            after, problem = settings.checked(key, value), ""
        except UserError as error:
            after, problem = value, str(error)
        if problem or after != before:
            changes.append(Change(key=key, label=option.label or key, before=before, after=after, problem=problem))
    return changes, kept


def _name_folders(folders: Sequence[ModelFolder], settings: Options) -> None:
    for key in MODEL_FOLDERS:
        paths = [str(folder.path) for folder in folders if folder.setting == key]
        settings.data[key] = list(dict.fromkeys([*settings.data[key], *paths]))
    settings.save()


def _take_settings(plan: ImportPlan, settings: Options) -> int:
    taken = len(plan.kept)
    for change in plan.settings:
        if change.problem:
            continue
        try:
            taken += settings.set(change.key, change.after)
        except UserError:
            continue  # what follows from the change failed, and it was undone
    for key, value in plan.kept.items():
        settings.data[key] = value
    if taken:
        settings.save()
    return taken


# Defaults of the form

def _present_form(path: Path) -> dict[str, Any]:
    try:
        return read_json(path) if path.is_file() else {}
    except UserError:
        return {}  # the page says so, and uses none of it either


def _form_changes(found: Mapping[str, Any], present: Mapping[str, Any]) -> list[Change]:
    """Defaults of controls that exist here and would be others. "tab/Label/property" is the form of the keys."""
    found = _with_split_samplers(found)
    changes = []
    for tab, fields in FIELDS.items():
        for row in fields:
            for name in PROPERTIES:
                key = f"{tab}/{row.label}/{name}"
                before = present.get(key, _built_in(row, name))
                after = _fitting(row, name, found.get(key))
                if key in found and after is not None and after != before:
                    changes.append(Change(key=key, label=f"{tab}: {row.label}" + ("" if name == "value" else f", {name}"), before=before,
                                          after=after))
    return list({change.key: change for change in changes}.values())


def _built_in(row: Field, name: str) -> Any:
    if name == "visible":
        return True
    value = row.default if name == "value" else getattr(row, name)
    return row.words[int(value)] if name == "value" and row.words and isinstance(value, int) else value


def _fitting(row: Field, name: str, value: Any) -> Any:
    """The value where it is of the control's type, else None."""
    if name == "visible":
        return value if isinstance(value, bool) else None
    example = _built_in(row, name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(example, (int, float)) and not isinstance(example, bool):
        return value if is_number else None
    return value if type(value) is type(example) else None


def _with_split_samplers(found: Mapping[str, Any]) -> dict[str, Any]:
    """Older programs name sampler and schedule in one."""
    result = dict(found)
    for tab in FIELDS:
        name = found.get(f"{tab}/{SAMPLER}/value")
        if isinstance(name, str):
            try:
                sampler, schedule = split_sampler_name(name)
            except UserError:
                del result[f"{tab}/{SAMPLER}/value"]
                continue
            result[f"{tab}/{SAMPLER}/value"] = sampler
            if schedule:
                result[f"{tab}/{SCHEDULE}/value"] = schedule
    return result


def _store_form(changes: Sequence[Change], path: Path) -> None:
    stored = _present_form(path) | {change.key: change.after for change in changes}
    try:
        write_atomically(path, json.dumps(stored, indent=4, ensure_ascii=False).encode(), previous=path.with_name(path.name + ".bak"))
    except OSError as error:
        raise write_problem("the defaults of the form", path, error) from error


# Styles

def _new_styles(path: Path | None, present: StyleTable, notes: list[str]) -> list[Style]:
    """Styles that are not here, or have other texts here."""
    if path is None:
        return []
    theirs = StyleTable([path])
    notes += theirs.notes
    known = {name: (style.prompt, style.negative_prompt) for name, style in present.styles.items()}
    return [style for style in theirs.styles.values() if known.get(style.name) != (style.prompt, style.negative_prompt)]
