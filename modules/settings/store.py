"""The settings of the running program: values by name, with scopes of their own for jobs, kept in one file."""
import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import RLock
from typing import Any

from modules.atomic_files import write_atomically, write_problem
from modules.errors import RequestError, UserError, report
from modules.settings.damage import read_settings
from modules.settings.option import OptionInfo, refusal

PREVIOUS_SUFFIX = ".bak"
MISSING = object()
_OWN = ("data", "data_labels", "notices", "path", "is_frozen", "_values", "_unfit", "_defaults", "_overlay", "_listeners", "_lock",
        "_locked")


class Options:
    """Every setting by name: `options.samples_save`, `options.data["samples_save"]`.

    A read looks at the overlay of the running job, then at the stored values, then at the registered default; a write goes where
    the key lives. Values read from the file for keys that nobody has registered are kept, and count once the key is registered.
    `notices` holds what a person must be told about the file. Any thread may use it.
    """

    def __init__(self, catalog: Mapping[str, OptionInfo], path: Path | None = None, *, is_frozen: bool = False):
        self.data_labels: dict[str, OptionInfo] = dict(catalog)
        self.path, self.is_frozen = path, is_frozen
        self.notices: list[str] = []
        self._values: dict[str, Any] = {}
        self._unfit: dict[str, Any] = {}
        self._defaults: dict[str, Any] = {}
        self._overlay: ContextVar[dict[str, Any] | None] = ContextVar("settings overlay", default=None)
        self._listeners: dict[str, list[Callable[[], Any]]] = {}
        self._locked: dict[str, str] = {}
        self._lock = RLock()
        self.data = OptionData(self)

    # reading and writing

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in _OWN:
            raise AttributeError(name)
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(f"There is no setting named {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _OWN and name in self.data_labels:
            self.data[name] = value
        else:
            object.__setattr__(self, name, value)

    def checked(self, key: str, value: Any, is_api: bool = False) -> Any:
        """`value` in the type of the setting `key`. Raises RequestError naming the setting and what it takes."""
        option = self.data_labels.get(key)
        if option is None or option.do_not_save:
            raise RequestError(key, f'There is no setting named "{key[:100]}".', remedy="GET /sdapi/v1/options lists the names.")
        if why := self._locked.get(key):
            raise RequestError(key, f'The setting "{key}" cannot be changed.', why)
        if is_api and option.restrict_api:
            raise RequestError(key, f'The setting "{key}" cannot be changed through the API.', remedy="Change it on the Settings tab.")
        return option.converted(key, value)

    def lock(self, keys: Iterable[str], why: str) -> None:
        """Refuse every change of these settings from now on, also for one job; `why` is the sentence that people read."""
        self._locked |= dict.fromkeys(keys, why)

    def set(self, key: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        """Change a setting after checking the value; True when it is another one now.

        Raises RequestError for what cannot be, UserError when settings are frozen or the change had to be undone because what
        follows from it failed.
        """
        if self.is_frozen:
            raise UserError("Settings cannot be changed.", "The program was started with --freeze-settings.", "Start it without that flag.")
        value = self.checked(key, value, is_api)
        with self._lock:
            before = self.data.get(key)
            if before == value and type(before) is type(value):
                return False
            self.data[key] = value
        if run_callbacks:
            try:
                self.call_listeners(key)
            except Exception as error:  # listeners are anybody's code; whatever they raise undoes the change
                self.data[key] = before
                raise self._undone(key, error) from error
        return True

    def _undone(self, key: str, error: Exception) -> UserError:
        if isinstance(error, UserError):
            return error
        report(f"Changing the setting {key} failed", error)
        return UserError(f'The setting "{key}" was not changed.', f"What follows from it failed: {error}.", "The log has the details.")

    def get_default(self, key: str) -> Any:
        """The registered default, or None for a key that nobody registered."""
        option = self.data_labels.get(key)
        return copy.deepcopy(option.default) if option else None

    def onchange(self, key: str, func: Callable[[], Any], call: bool = True) -> None:
        """Have `func` called after each change of `key` by `set`, and once now unless `call` is False."""
        self._listeners.setdefault(key, []).append(func)
        if call:
            func()

    def call_listeners(self, key: str) -> None:
        """Run what follows from a change of `key`."""
        own = self.data_labels[key].onchange if key in self.data_labels else None
        for func in ([own] if own else []) + self._listeners.get(key, []):
            func()

    # scopes

    @contextmanager
    def overriding(self, values: Mapping[str, Any]) -> Iterator[None]:
        """A scope in which `values` hold for this job only: other threads never see them, and at the end they are gone."""
        token = self._overlay.set({**(self._overlay.get() or {}), **values})
        try:
            yield
        finally:
            self._overlay.reset(token)

    def snapshot(self) -> dict[str, Any]:
        """All registered settings as they are for the caller now, as a copy of its own."""
        with self._lock:
            return {key: copy.deepcopy(self.data[key]) for key, option in self.data_labels.items() if not option.do_not_save}

    def affecting_pictures(self) -> list[str]:
        """The keys of all settings on which pictures depend."""
        return [key for key, option in self.data_labels.items() if option.affects_picture]

    # registration

    def add_option(self, key: str, info: OptionInfo) -> None:
        """Register a setting; a value that the file held for it counts from now on."""
        with self._lock:
            self.data_labels[key] = info
            self._fit(key)

    def reorder(self) -> None:
        """Bring settings of one section together, sections in the order of their first setting."""
        sections = list(dict.fromkeys(option.section for option in self.data_labels.values()))
        ordered = sorted(self.data_labels.items(), key=lambda item: sections.index(item[1].section))
        self.data_labels = dict(ordered)

    def _fit(self, key: str) -> None:
        """Bring a stored value into the registered type; one that does not fit is set aside and the default counts."""
        option = self.data_labels[key]
        raw = self._unfit.pop(key, None) if key in self._unfit else self._values.pop(key, None)
        if raw is None:
            return
        try:
            self._values[key] = option.converted(key, raw)
        except RequestError as error:
            self._unfit[key] = raw
            self._notice(f"{error} The default is used; the file keeps {json.dumps(raw, default=str)[:100]} until you change it.")

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)

    # the file

    def load(self, path: Path | None = None) -> None:
        """Read the file, or as much of it as can be read; what was wrong is put into `notices`. Never raises for a file."""
        path = path or self.path
        if path is None:
            return
        result = read_settings(path, path.with_name(path.name + PREVIOUS_SUFFIX))
        with self._lock:
            self._values, self._unfit = result.values, {}
            for notice in result.notices:
                self._notice(notice)
            for key in self.data_labels:
                self._fit(key)

    def save(self, path: Path | str | None = None) -> None:
        """Write the file, whole or not at all, keeping the previous one beside it. Raises UserError."""
        path = Path(path) if path else self.path
        if path is None or self.is_frozen:
            return
        with self._lock:
            text = json.dumps(self._storable(), indent=4, ensure_ascii=False)
            try:
                write_atomically(path, text.encode("utf-8", "replace"), previous=path.with_name(path.name + PREVIOUS_SUFFIX))
            except OSError as error:
                raise write_problem("the settings", path, error) from error

    def _storable(self) -> dict[str, Any]:
        """Values that were set, those of keys that nobody knows, and those set aside; without what JSON cannot hold."""
        appended_to = {key: value for key, value in self._defaults.items() if value != self.data_labels[key].default}
        values = {**appended_to, **self._unfit, **self._values}
        for key in list(values):
            try:
                json.dumps(values[key])
            except (TypeError, ValueError, RecursionError) as error:
                report(f"The setting {key} cannot be stored", error)
                del values[key]
        return values

    def dumpjson(self) -> str:
        """All settings as JSON text."""
        return json.dumps(self.snapshot(), default=str)


class OptionData(MutableMapping[str, Any]):
    """The values of all settings as a mapping; see Options for where reads and writes go."""

    def __init__(self, options: Options):
        self._options = options

    def __getitem__(self, key: str) -> Any:
        options = self._options
        overlay = options._overlay.get()
        if overlay is not None and key in overlay:
            return overlay[key]
        value = options._values.get(key, MISSING)
        if value is not MISSING:
            return value
        option = options.data_labels.get(key)
        if option is None or option.do_not_save:
            raise KeyError(key)
        if isinstance(option.default, list | dict):  # a caller may append to it
            with options._lock:
                return options._defaults.setdefault(key, copy.deepcopy(option.default))
        return option.default

    def __setitem__(self, key: str, value: Any) -> None:
        options = self._options
        overlay = options._overlay.get()
        if overlay is not None and key in overlay:
            overlay[key] = value
            return
        if options.is_frozen and key in options.data_labels:
            raise refusal(key, options.data_labels[key], "The program was started with --freeze-settings.")
        with options._lock:
            options._values[key] = value
            options._unfit.pop(key, None)

    def __delitem__(self, key: str) -> None:
        with self._options._lock:
            del self._options._values[key]

    def _keys(self) -> dict[str, None]:
        options = self._options
        with options._lock:
            registered = (key for key, option in options.data_labels.items() if not option.do_not_save)
            return dict.fromkeys([*registered, *options._values, *(options._overlay.get() or ())])

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())
