"""Titles above the columns and beside the rows of a sheet of pictures."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from modules import errors

SMALLEST_FONT_PX = 4
FONT_SHARE = 25  # letters are this part of width + height of a cell
LEFT_SHARE = 3 / 4  # of the width of a cell, for the titles of rows


@dataclass
class GridAnnotation:
    """One title. An inactive one is grey and struck through."""

    text: str = ""
    is_active: bool = True


Titles = Sequence[Sequence[GridAnnotation]]


@dataclass(frozen=True, kw_only=True)
class Lettering:
    """How titles look. `font` is the path of a font file; empty, or a file that cannot be read, means the built-in one."""

    font: str = ""
    active: str = "#000000"
    inactive: str = "#999999"
    background: str = "#ffffff"

    @classmethod
    def of(cls, opts: Any) -> Lettering:
        """What the settings say; a word that is no colour counts as the usual one."""
        usual = cls()
        return cls(font=opts.font, active=_colour(opts.grid_text_active_color, usual.active),
                   inactive=_colour(opts.grid_text_inactive_color, usual.inactive),
                   background=_colour(opts.grid_background_color, usual.background))

    def of_size(self, size_px: int) -> Any:
        """The font."""
        try:
            return ImageFont.truetype(self.font, size_px) if self.font else ImageFont.load_default(size_px)
        except OSError as error:
            errors.report(f"The font {self.font} cannot be read", error)
            return ImageFont.load_default(size_px)


def _colour(text: str, usual: str) -> str:
    try:
        ImageColor.getrgb(text)
        return text
    except ValueError:
        return usual


@dataclass(frozen=True, kw_only=True)
class _Line:
    text: str
    is_active: bool
    width: float
    height: int


class _Writer:
    """Breaks titles into lines of one font, and draws them."""

    def __init__(self, cell_width: int, cell_height: int, lettering: Lettering):
        size = max(SMALLEST_FONT_PX, (cell_width + cell_height) // FONT_SHARE)
        self.lettering, self.font = lettering, lettering.of_size(size)
        self.spacing = size // 2

    def lines(self, titles: Sequence[GridAnnotation], width: float) -> list[_Line]:
        """The titles of one cell, broken to `width` px."""
        return [self._line(text, title.is_active) for title in titles if title.text for text in self._broken(title.text, width)]

    def _line(self, text: str, is_active: bool) -> _Line:
        left, top, right, bottom = self.font.getbbox(text)
        return _Line(text=text, is_active=is_active, width=right - left, height=int(bottom - top))

    def _broken(self, text: str, width: float) -> Iterator[str]:
        line = ""
        for piece in (piece for word in text.split() for piece in self._pieces(word, width)):
            longer = f"{line} {piece}" if line else piece
            if line and self.font.getlength(longer) > width:
                yield line
                longer = piece
            line = longer
        if line:
            yield line

    def _pieces(self, word: str, width: float) -> Iterator[str]:
        """A word, cut where it alone is wider than a line."""
        piece = ""
        for sign in word:
            if piece and self.font.getlength(piece + sign) > width:
                yield piece
                piece = ""
            piece += sign
        yield piece

    def height(self, lines: Sequence[_Line]) -> int:
        """Of the lines of one cell, without borders."""
        return sum(line.height + self.spacing for line in lines) - (self.spacing if lines else 0)

    def draw(self, draw: ImageDraw.ImageDraw, lines: Sequence[_Line], middle_x: float, top: float) -> None:
        """Write the lines centred around `middle_x`, downwards from `top`."""
        for line in lines:
            color, middle_y = self.lettering.active if line.is_active else self.lettering.inactive, top + line.height / 2
            draw.text((middle_x, middle_y), line.text, font=self.font, fill=color, anchor="mm")
            if not line.is_active:
                left, right = middle_x - line.width / 2, middle_x + line.width / 2
                draw.line((left, middle_y, right, middle_y), fill=color, width=max(1, line.height // 10))
            top += line.height + self.spacing


def draw_grid_annotations(im: Image.Image, width: int, height: int, hor_texts: Titles, ver_texts: Titles, margin: int = 0,
                          lettering: Lettering | None = None) -> Image.Image:
    """The sheet `im` of cells of width x height px with a title for each column and row, and `margin` px between cells.

    `hor_texts` has an entry per column, `ver_texts` one per row, each a list of titles. Where no row has a title there is no
    space at the left, where no column has one there is none above.
    """
    lettering = lettering or Lettering()
    writer = _Writer(width, height, lettering)
    left = int(width * LEFT_SHARE) if any(title.text for titles in ver_texts for title in titles) else 0
    columns = [writer.lines(titles, width) for titles in hor_texts]
    rows = [writer.lines(titles, left) for titles in ver_texts]
    tallest = max((writer.height(lines) for lines in columns), default=0)
    top = tallest + 2 * writer.spacing if tallest else 0
    result = _with_margins(im, (left, top), (width, height), (len(columns), len(rows)), margin, lettering.background)
    draw = ImageDraw.Draw(result)
    for column, lines in enumerate(columns):
        writer.draw(draw, lines, left + (width + margin) * column + width / 2, (top - writer.height(lines)) / 2)
    for row, lines in enumerate(rows):
        writer.draw(draw, lines, left / 2, top + (height + margin) * row + (height - writer.height(lines)) / 2)
    return result


def _with_margins(sheet: Image.Image, corner: tuple[int, int], cell: tuple[int, int], count: tuple[int, int], margin: int,
                  background: str) -> Image.Image:
    """The cells of `sheet` set apart, on a larger background that begins `corner` px further left and up."""
    (left, top), (width, height), (columns, rows) = corner, cell, count
    size = (left + sheet.width + margin * (columns - 1), top + sheet.height + margin * (rows - 1))
    result = Image.new("RGB", size, background)
    if not margin:
        result.paste(sheet, corner)
        return result
    for row in range(rows):
        for column in range(columns):
            box = (width * column, height * row, width * (column + 1), height * (row + 1))
            result.paste(sheet.crop(box), (left + (width + margin) * column, top + (height + margin) * row))
    return result
