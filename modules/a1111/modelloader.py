"""Files of models under the names of A1111's `modelloader`."""
import os
from pathlib import Path
from urllib.parse import urlparse

from modules.errors import UserError
from modules.util import walk_files


def load_file_from_url(url: str, *, model_dir: str, progress: bool = True, file_name: str | None = None,
                       hash_prefix: str | None = None) -> str:
    """The file of that address in `model_dir`, downloaded unless it is there. Raises OSError when it cannot be had."""
    target = Path(model_dir) / (file_name or os.path.basename(urlparse(url).path))
    if target.exists():
        return str(target)
    import torch

    os.makedirs(model_dir, exist_ok=True)
    print(f'Downloading: "{url}" to {target}', flush=True)
    try:
        torch.hub.download_url_to_file(url, str(target), hash_prefix, progress)
    except RuntimeError as error:
        raise UserError(f"{target.name} was not downloaded.", f"{error}.", "Try again.") from error
    return str(target)


def load_models(model_path: str, model_url: str | None = None, command_path: str | None = None, ext_filter=None, download_name=None,
                ext_blacklist=None, hash_prefix=None) -> list[str]:
    """Files with these endings in both folders; the address, or its file, where there are none."""
    found = []
    for place in filter(None, (command_path, model_path)):
        for path in walk_files(place, allowed_extensions=ext_filter):
            is_wanted = os.path.exists(path) and not any(path.endswith(ending) for ending in ext_blacklist or ())
            if is_wanted and path not in found:
                found.append(path)
    if not found and model_url is not None:
        found.append(load_file_from_url(model_url, model_dir=model_path, file_name=download_name, hash_prefix=hash_prefix)
                     if download_name else model_url)
    return found


def friendly_name(file: str) -> str:
    """The file's name without folder and ending."""
    name = os.path.basename(urlparse(file).path if file.startswith("http") else file)
    return os.path.splitext(name)[0]
