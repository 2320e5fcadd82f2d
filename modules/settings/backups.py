"""Dated copies of the settings file, made on request and once a day, and what differs from the defaults."""
from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.atomic_files import safe_name, write_atomically
from modules.errors import NotFound, UserError, report
from modules.settings.store import Options

KEPT_DAYS = 14
DAILY = "daily"
NAME = re.compile(r"(\d{8}-\d{6})-(.+)\.json")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting that is not as it was delivered."""

    key: str
    label: str
    section: str
    value: Any
    default: Any


def differences(settings: Options) -> list[Difference]:
    """The settings whose stored value is not the default, in the order of the catalogue."""
    stored = settings.snapshot()
    rows = []
    for key, option in settings.data_labels.items():
        default = option.default
        if key in stored and stored[key] != default and option.label:
            rows.append(Difference(key=key, label=option.label, section=str((option.section or ("", ""))[1] or ""), value=stored[key],
                                   default=default))
    return rows


@dataclass(frozen=True, kw_only=True)
class Backup:
    """One copy. `is_daily`: the program made it by itself."""

    file: str
    name: str
    made: float
    is_daily: bool


class Backups:
    """The copies in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listed(self) -> list[Backup]:
        """All copies, the newest first."""
        found = []
        for path in sorted(self._folder.glob("*.json"), reverse=True) if self._folder.is_dir() else []:
            parts = NAME.fullmatch(path.name)
            with suppress(ValueError, OverflowError):  # it has the form of a date and is none
                if parts:
                    made = time.mktime(time.strptime(parts[1], "%Y%m%d-%H%M%S"))
                    found.append(Backup(file=path.name, name=parts[2], made=made, is_daily=parts[2] == DAILY))
        return found

    def save(self, settings: Options, name: str) -> Backup:
        """Copy the values as they are now. Raises OSError."""
        name = safe_name(name.strip() or "settings", 80)
        return self._save(settings, f"{name} copy" if name == DAILY else name)

    def _save(self, settings: Options, name: str) -> Backup:
        file = f"{time.strftime('%Y%m%d-%H%M%S')}-{name}.json"
        write_atomically(self._folder / file, json.dumps(settings.snapshot(), indent=1, default=str).encode())
        return next(backup for backup in self.listed() if backup.file == file)

    def save_daily(self, settings: Options) -> None:
        """A copy for today if there is none, and older daily ones away. Never raises: the program starts without one too."""
        daily = [backup for backup in self.listed() if backup.is_daily]
        if daily and time.strftime("%Y%m%d", time.localtime(daily[0].made)) == time.strftime("%Y%m%d"):
            return
        try:
            if differences(settings):
                self._save(settings, DAILY)
            for backup in daily[KEPT_DAYS - 1:]:
                (self._folder / backup.file).unlink(missing_ok=True)
        except OSError as error:
            report("Today's copy of the settings could not be written", error)

    def restore(self, settings: Options, file: str) -> list[str]:
        """Set everything as a copy has it and store that; a sentence for each value that cannot be. Raises NotFound, UserError."""
        if file not in {backup.file for backup in self.listed()}:
            raise NotFound("This copy of the settings is not there any more.")
        try:
            values = json.loads((self._folder / file).read_bytes())
        except (OSError, ValueError) as error:
            raise UserError("This copy of the settings cannot be read.", f"{error}.") from error
        return put(settings, values if isinstance(values, dict) else {})


def put(settings: Options, values: dict[str, Any]) -> list[str]:
    """Set several settings and store them; a sentence for each that cannot be set. Raises UserError when they cannot be stored."""
    refused = []
    for key, value in values.items():
        if key in settings.data_labels and getattr(settings, key) != value:
            try:
                settings.set(key, value)
            except UserError as error:
                refused.append(str(error))
    settings.save()
    return refused
