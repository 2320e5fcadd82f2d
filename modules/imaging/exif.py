"""The EXIF block that holds an infotext in JPEG, WebP and AVIF files: built by hand, and read whoever wrote it."""
import struct

EXIF_POINTER, USER_COMMENT = 0x8769, 0x9286
LONG, UNDEFINED = 4, 7
CODE_UNICODE, CODE_ASCII = b"UNICODE\0", b"ASCII\0\0\0"
JPEG_LIMIT_BYTES = 65_533


def user_comment_block(text: str) -> bytes:
    """An EXIF block with `text` as its UserComment. Pillow's own writer gives it the type BYTE, on which common readers fail."""
    comment = CODE_UNICODE + text.encode("utf-16-be", "replace")
    first = struct.pack(">HHHLLL", 1, EXIF_POINTER, LONG, 1, 8 + 18, 0)
    second = struct.pack(">HHHLLL", 1, USER_COMMENT, UNDEFINED, len(comment), 8 + 18 + 18, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">L", 8) + first + second + comment


def comment_text(value: object) -> str | None:
    """The text of a UserComment as Pillow gives it; None for what is no text."""
    if isinstance(value, str):
        return value.strip("\0 ") or None
    if not isinstance(value, bytes):
        return None
    code, content = value[:8], value[8:]
    if code == CODE_UNICODE:
        text = content.decode(_byte_order(content), "replace")
    elif code == CODE_ASCII or code == bytes(8):
        text = content.decode("utf-8", "replace")
    else:
        text = value.decode("utf-8", "replace")
    return text.strip("\0\ufeff ") or None


def _byte_order(content: bytes) -> str:
    """The standard leaves the byte order open; in western text, the zero bytes come first in big-endian."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    sample = content[:2000]
    return "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"


def shortened(text: str, limit_bytes: int = JPEG_LIMIT_BYTES) -> str:
    """`text` if its block fits into `limit_bytes`; else with the prompts cut, so that the line of parameters stays readable."""
    room = (limit_bytes - len(user_comment_block(""))) // 2
    if _units(text) <= room:
        return text
    prompts, _, last = text.rpartition("\n")
    if _units(last) + 3 > room // 2:  # no usable line of parameters
        return _cut(text, room - 1) + "…"
    return f"{_cut(prompts, room - _units(last) - 2)}…\n{last}"


def _units(text: str) -> int:
    return len(text.encode("utf-16-be", "replace")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-be", "replace")[: units * 2].decode("utf-16-be", "ignore")
