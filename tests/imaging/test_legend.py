"""Titles of a sheet: where they lie, how they break, and that the pictures stay what they were."""
import numpy as np
from PIL import Image

from modules.imaging.legend import GridAnnotation, Lettering, draw_grid_annotations

CELL = 64


def sheet(columns, rows):
    return Image.new("RGB", (CELL * columns, CELL * rows), "red")


def titles(*texts):
    return [[GridAnnotation(text)] for text in texts]


def test_a_sheet_without_titles_stays_as_it_is():
    assert draw_grid_annotations(sheet(2, 1), CELL, CELL, titles("", ""), titles("")).size == (128, 64)


def test_titles_of_rows_take_three_quarters_of_a_cell_and_those_of_columns_their_height():
    drawn = draw_grid_annotations(sheet(2, 2), CELL, CELL, titles("a", "b"), titles("c", "d"))
    assert drawn.width == 48 + 128 and 128 + 6 <= drawn.height <= 128 + 12
    assert drawn.crop((48, drawn.height - 128, drawn.width, drawn.height)).tobytes() == sheet(2, 2).tobytes()


def test_a_long_title_breaks_into_lines_also_inside_a_word():
    short = draw_grid_annotations(sheet(1, 1), CELL, CELL, titles("word"), titles(""))
    long = draw_grid_annotations(sheet(1, 1), CELL, CELL, titles("word " * 30), titles(""))
    one_word = draw_grid_annotations(sheet(1, 1), CELL, CELL, titles("w" * 100), titles(""))
    assert short.height < one_word.height and short.height < long.height and long.width == CELL


def test_margins_lie_between_cells_only():
    drawn = draw_grid_annotations(sheet(3, 2), CELL, CELL, titles("", "", ""), titles("", ""), margin=10)
    assert drawn.size == (3 * CELL + 20, 2 * CELL + 10)
    white = np.asarray(drawn).min(axis=2) == 255
    assert white.sum() == drawn.width * drawn.height - 6 * CELL * CELL and white[:, CELL:CELL + 10].all()


def test_an_inactive_title_is_struck_through_in_grey():
    def darkness(is_active):
        drawn = draw_grid_annotations(Image.new("RGB", (512, 64), "white"), 512, 512, [[GridAnnotation("word", is_active)]], titles(""))
        return np.asarray(drawn).min()
    assert darkness(True) == 0 and darkness(False) == 0x99


def test_settings_say_font_and_colours_and_what_they_say_wrongly_is_left_out(tmp_path):
    from types import SimpleNamespace

    opts = SimpleNamespace(font="", grid_text_active_color="#ff0000", grid_text_inactive_color="no colour", grid_background_color="black")
    lettering = Lettering.of(opts)
    assert lettering == Lettering(active="#ff0000", inactive="#999999", background="black")
    drawn = draw_grid_annotations(Image.new("RGB", (512, 64)), 512, 512, titles("word"), titles(""), 0, lettering)
    assert set(np.asarray(drawn)[..., 1:].flat) == {0} and np.asarray(drawn)[..., 0].max() == 255
    (tmp_path / "no.ttf").write_bytes(b"no font")
    plain = draw_grid_annotations(sheet(1, 1), CELL, CELL, titles("word"), titles(""))
    for font in ("no.ttf", "missing.ttf"):
        given = Lettering(font=str(tmp_path / font))
        assert draw_grid_annotations(sheet(1, 1), CELL, CELL, titles("word"), titles(""), 0, given).tobytes() == plain.tobytes()


def test_the_font_that_is_given_is_used(tmp_path):
    path = tmp_path / "a.ttf"
    path.write_bytes(Lettering().of_size(10).font_bytes)
    font = Lettering(font=str(path)).of_size(12)
    assert (font.path, font.size, font.getname()) == (str(path), 12, Lettering().of_size(12).getname())
