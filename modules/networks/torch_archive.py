"""What can be said about a file of torch.save before it is read."""
from __future__ import annotations

import zipfile
from pathlib import Path


def has_compressed_parts(path: Path) -> bool:
    """Whether it is an archive with compressed parts: torch writes none, and small ones may unfold to fill the memory."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist())
