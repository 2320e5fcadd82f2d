"""Values inside the last line of an infotext: when they need quotes, and what they are without them."""
import json
from typing import Any


def quote(value: Any) -> Any:
    """`value` unchanged, or as JSON text where its comma, colon, line break, or quote or space at an end would be misread."""
    text = str(value)
    if text and (any(sign in text for sign in ",:\n\r") or text[0] == '"' or text != text.strip()):
        return json.dumps(text, ensure_ascii=False)
    return value


def unquote(text: str) -> str:
    """The text that `quote` was given; what is not quoted, or not correctly so, comes back as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return text


def number_text(value: float) -> str:
    """A number in its shortest form: 7 for 7.0, 0.75, 1e-05."""
    if value == int(value) and abs(value) < 1e16:
        return str(int(value))
    return repr(float(value))


def shown(value: Any) -> str:
    """A value as text, before quoting: numbers in their shortest form, lists and mappings as JSON."""
    if isinstance(value, float) and value - value == 0:  # finite
        return number_text(value)
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
