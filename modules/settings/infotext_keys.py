"""Which setting an infotext key belongs to, and settings from pasted pairs."""
from collections.abc import Callable, Iterable
from typing import Any

from modules.settings.store import Options

MISSPELT = {"SGM noise multplier": "SGM noise multiplier"}


def settings_with_infotext(options: Options) -> list[tuple[str, str]]:
    """(setting, infotext key) of every setting that has one, in the order of the settings."""
    return [(key, option.infotext) for key, option in options.data_labels.items() if option.infotext]


def override_settings_from(options: Options, pairs: Iterable[str], find_checkpoint: Callable[[str], str | None]) -> dict[str, Any]:
    """Settings from the texts of the Override settings box, such as "Clip skip: 2", in the types of the settings.

    `find_checkpoint` gives the title for a hash or name, None when there is no such checkpoint; then the pair is left out, as are
    pairs that belong to no setting. Raises RequestError for a value that the setting does not take.
    """
    values = {}
    for pair in pairs:
        name, found, text = pair.partition(":")
        if found:
            values[MISSPELT.get(name.strip(), name.strip())] = text.strip()
    overrides = {}
    for key, name in settings_with_infotext(options):
        if name not in values:
            continue
        value: str | None = find_checkpoint(values[name]) if key == "sd_model_checkpoint" else values[name]
        if value is not None:
            overrides[key] = options.checked(key, value)
    return overrides
