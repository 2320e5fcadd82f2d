"""Replaced functions and their originals under the names of A1111's `patches`; several extensions may replace one function."""
originals: dict = {}


def patch(key, obj, field: str, replacement):
    """Put `replacement` in the place of obj.field; returns the original. Raises RuntimeError when `key` has replaced it already."""
    known = originals.setdefault(key, {})
    if (id(obj), field) in known:
        raise RuntimeError(f"{key} has replaced {field} of {obj} already")
    known[id(obj), field] = original = getattr(obj, field)
    setattr(obj, field, replacement)
    return original


def undo(key, obj, field: str) -> None:
    """Put the original back. Raises RuntimeError when `key` has not replaced it."""
    known = originals.get(key, {})
    if (id(obj), field) not in known:
        raise RuntimeError(f"{key} has not replaced {field} of {obj}")
    setattr(obj, field, known.pop((id(obj), field)))


def original(key, obj, field: str):
    """What `key` has replaced; None where it has not."""
    return originals.get(key, {}).get((id(obj), field))
