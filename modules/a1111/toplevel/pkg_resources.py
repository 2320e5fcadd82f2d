"""What extensions ask of `pkg_resources`, which newer versions of setuptools do not bring any more."""
import importlib.metadata
import importlib.util
import io
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, BinaryIO

from packaging import version
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

packaging = SimpleNamespace(version=version)


class ResolutionError(Exception):
    """A requirement that is not met."""


class DistributionNotFound(ResolutionError):
    """The package is not installed."""


class VersionConflict(ResolutionError):
    """The package is installed in another version."""


class Distribution:
    """An installed package: its name and version."""

    def __init__(self, found: importlib.metadata.Distribution):
        self.project_name, self.version, self.key = found.name, found.version, canonicalize_name(found.name)
        self.parsed_version, self.location = parse_version(found.version), str(found.locate_file(""))


def parse_version(text: str) -> Version:
    """A version that can be compared."""
    return Version(text)


def get_distribution(requirement: Any) -> Distribution:
    """The installed package of a requirement such as "numpy" or "numpy>=2". Raises DistributionNotFound, VersionConflict."""
    wanted = Requirement(str(requirement))
    try:
        found = Distribution(importlib.metadata.distribution(wanted.name))
    except importlib.metadata.PackageNotFoundError as error:
        raise DistributionNotFound(f"The {wanted.name!r} distribution was not found and is required by the application") from error
    if not wanted.specifier.contains(found.version, prereleases=True):
        raise VersionConflict(f"{found.project_name} {found.version} is installed, and {wanted} is required")
    return found


def require(*requirements: Any) -> list[Distribution]:
    """The installed packages of requirements, each a text or a list of texts. Raises as get_distribution does."""
    texts = [text for item in requirements for text in ([item] if isinstance(item, str) else item)]
    return [get_distribution(text) for text in texts]


def parse_requirements(text: Any) -> Iterator[Requirement]:
    """The requirements of a file's text or of its lines; comments are left out."""
    for line in text.splitlines() if isinstance(text, str) else text:
        if line := line.partition("#")[0].strip():
            yield Requirement(line)


def iter_entry_points(group: str, name: str | None = None) -> Iterator[importlib.metadata.EntryPoint]:
    """The entry points of a group."""
    return iter(importlib.metadata.entry_points(group=group, **({"name": name} if name else {})))


def resource_filename(package: Any, resource_name: str) -> str:
    """The path of a file beside a package's or a module's own file."""
    name = package if isinstance(package, str) else package.name
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    folder = next(iter(spec.submodule_search_locations or ()), None) or os.path.dirname(spec.origin or "")
    return os.path.join(folder, *resource_name.split("/"))


def resource_exists(package: Any, resource_name: str) -> bool:
    """Whether there is such a file."""
    return os.path.exists(resource_filename(package, resource_name))


def resource_string(package: Any, resource_name: str) -> bytes:
    """What is in such a file."""
    with open(resource_filename(package, resource_name), "rb") as file:
        return file.read()


def resource_stream(package: Any, resource_name: str) -> BinaryIO:
    """Such a file, to read from."""
    return io.BytesIO(resource_string(package, resource_name))


def _installed() -> Iterator[Distribution]:
    return (Distribution(found) for found in importlib.metadata.distributions() if found.name)


class WorkingSet:
    """All installed packages."""

    @property
    def by_key(self) -> dict[str, Distribution]:
        """By their names in small letters."""
        return {found.key: found for found in _installed()}

    def __iter__(self) -> Iterator[Distribution]:
        return _installed()


working_set = WorkingSet()
