"""Styles: applying, recognising, and their files."""
import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import NotFound, UserError
from modules.styles import Style, StyleTable, merged, separated, without_style


@pytest.fixture
def cases(goldens):
    return json.loads((goldens / "misc.json").read_text(encoding="utf-8"))["styles"]


@pytest.fixture
def table(tmp_path, cases) -> StyleTable:
    write(tmp_path / "styles.csv", ["name", "prompt", "negative_prompt"], *cases["styles"])
    return StyleTable([tmp_path / "styles.csv"])


def write(path, *rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def rows(path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def test_applying_equals_the_recorded(table, cases):
    for case in cases["apply"]:
        assert list(table.apply(case["prompt"], case["negative"], case["styles"])) == case["result"], case


def test_recognising_equals_the_recorded(table, cases):
    for case in cases["extract"]:
        found = without_style(table.find(case["style"]), case["prompt"], case["negative"])
        assert [found is not None, *(found or (case["prompt"], case["negative"]))] == case["result"], case


@given(st.text().map(str.strip).filter(bool), st.text(alphabet="abc ").map(str.strip).filter(bool))
def test_a_frame_around_a_prompt_is_found_again(frame, prompt):
    style = frame.replace("{", "") + " {prompt} end"
    assert separated(style, merged(style, prompt)) == prompt


def test_several_styles_are_recognised_in_the_order_of_applying(table):
    prompts = table.apply("a cat", "neg", ["plain", "wrap"])
    assert table.recognise(*prompts) == (["plain", "wrap"], "a cat", "neg")


def test_unknown_styles_have_no_effect(table):
    assert table.apply("a", "b", ["nothing"]) == ("a", "b")


def test_a_missing_file_has_no_styles(tmp_path):
    assert StyleTable([tmp_path / "styles.csv"]).names() == []


def test_saving_makes_the_file_and_is_read_back(tmp_path):
    table = StyleTable([tmp_path / "sub" / "styles.csv"])
    table.save("mine", "a,\n\"b\" {prompt}", "日本")
    again = StyleTable([tmp_path / "sub" / "styles.csv"]).find("mine")
    assert (again.prompt, again.negative_prompt) == ("a,\n\"b\" {prompt}", "日本")


def test_saving_keeps_comments_and_further_columns(tmp_path):
    path = tmp_path / "styles.csv"
    header, comment, other = ["name", "prompt", "negative_prompt", "rating"], ["# mine", "", "", ""], ["b", "p", "q", "3", "beyond"]
    write(path, header, comment, ["a", "x", "y", "5"], other)
    StyleTable([path]).save("a", "new", "y")
    assert rows(path) == [header, comment, ["a", "new", "y", "5"], other]


def test_saving_keeps_what_another_program_added_meanwhile(tmp_path, table):
    with (tmp_path / "styles.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(["late", "l", ""])
    table.save("mine", "m", "")
    assert {"late", "mine", "plain"} <= set(table.names())


def test_saving_keeps_the_previous_file(tmp_path, table):
    before = (tmp_path / "styles.csv").read_bytes()
    table.save("mine", "m", "")
    assert (tmp_path / "styles.csv.bak").read_bytes() == before


def test_the_old_column_of_the_prompt_is_read_and_written(tmp_path):
    path = tmp_path / "styles.csv"
    write(path, ["name", "text"], ["a", "old"])
    table = StyleTable([path])
    assert table.find("a").prompt == "old"
    table.save("a", "new", "neg")
    assert rows(path) == [["name", "text", "negative_prompt"], ["a", "new", "neg"]]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    (tmp_path / "styles.csv").write_bytes("name,prompt,negative_prompt\r\nä,b,c\r\n".encode("utf-8-sig"))
    assert StyleTable([tmp_path / "styles.csv"]).names() == ["ä"]


def test_a_file_in_the_western_code_page_is_read(tmp_path):
    (tmp_path / "styles.csv").write_bytes("name,prompt,negative_prompt\r\ncafé,crème,\r\n".encode("cp1252"))
    assert StyleTable([tmp_path / "styles.csv"]).find("café").prompt == "crème"


def test_a_file_that_is_no_table_is_named_and_never_replaced(tmp_path):
    path = tmp_path / "styles.csv"
    path.write_bytes(b"\x00\x01rubbish\n")
    table = StyleTable([path])
    assert len(table.notes) == 1
    with pytest.raises(UserError):
        table.save("mine", "m", "")
    assert path.read_bytes() == b"\x00\x01rubbish\n"


def test_renaming_keeps_the_place_the_further_columns_and_the_picture(tmp_path):
    path = tmp_path / "styles.csv"
    path.write_text("name,prompt,negative_prompt,mark\na,1,,x\nb,2,,y\nc,3,,z\n", encoding="utf-8")
    table = StyleTable([path])
    table.set_preview("b", b"picture")
    table.rename("b", " new / name ")
    assert table.names() == ["a", "new / name", "c"] and "new / name,2,,y" in path.read_text(encoding="utf-8-sig")
    assert table.preview("new / name").read_bytes() == b"picture" and len(list((tmp_path / "styles-previews").iterdir())) == 1
    for name, new in (("a", "c"), ("a", "#x"), ("a", "  "), ("gone", "d")):
        with pytest.raises(UserError):
            table.rename(name, new)


def test_deleting_removes_one_style(tmp_path, table):
    table.delete("wrap")
    assert "wrap" not in table.names() and "plain" in table.names()
    with pytest.raises(NotFound):
        table.delete("wrap")


@pytest.mark.parametrize("name", ["", "  ", "# comment", "a\nb"])
def test_impossible_names_are_refused(table, name):
    with pytest.raises(UserError):
        table.save(name, "m", "")


def test_a_file_that_cannot_be_written_is_said_and_stays(tmp_path, table, monkeypatch):
    before = (tmp_path / "styles.csv").read_bytes()
    monkeypatch.setattr("modules.styles.write_atomically", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match=r"styles\.csv"):
        table.save("mine", "m", "")
    assert (tmp_path / "styles.csv").read_bytes() == before


def test_patterns_stand_for_every_file_that_fits(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.csv", ["name", "prompt"], [f"style {name}", name])
    table = StyleTable([str(tmp_path / "*.csv")])
    assert table.groups() == {"a": ["style a"], "b": ["style b"]}


def test_styles_are_values():
    assert Style(name="a", prompt="b") == Style(name="a", prompt="b")


def test_a_new_style_goes_into_the_file_that_is_named_and_a_known_one_stays_in_its_own(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in (first, second):
        path.write_text(f"name,prompt,negative_prompt\nof {path.stem},x,\n")
    table = StyleTable([tmp_path / "*.csv"])
    table.save("new", "y", "", second)
    table.save("of a", "z", "", second)
    table.save("elsewhere", "w", "", tmp_path / "no styles file.csv")
    assert [(style.name, style.path.name, style.prompt) for style in table.styles.values()] == [
        ("of a", "a.csv", "z"), ("elsewhere", "a.csv", "w"), ("of b", "b.csv", "x"), ("new", "b.csv", "y")]


def test_what_is_written_is_read_back_sign_by_sign(tmp_path):
    path = tmp_path / "styles.csv"
    path.write_bytes('\ufeffgroup,name,prompt,negative_prompt,"my ""notes"""\r\n'
                     'A,"one, two","line\nline ""quoted""","",keep\r\n#,# a comment,,,\r\n'.encode())
    table = StyleTable([path])
    table.save("new", ' "a",\r\nb;\t名前 ', "\n")
    table.save("one, two", table.styles["one, two"].prompt, "no")
    again = StyleTable([path])
    assert again.styles["new"].prompt == ' "a",\r\nb;\t名前 ' and again.styles["new"].negative_prompt == "\n"
    assert again.styles["one, two"].prompt == 'line\nline "quoted"'
    text = path.read_bytes().decode("utf-8-sig")
    assert text.startswith('group,name,prompt,negative_prompt,"my ""notes"""\r\nA,"one, two",') and ",keep\r\n#,# a comment,,,\r\n" in text


def test_pictures_of_styles_lie_beside_the_file_under_names_that_every_disk_takes(tmp_path):
    table = StyleTable([tmp_path / "styles.csv"])
    for name in ("plain", "a/b", "a:b"):
        table.save(name, "x", "")
        table.set_preview(name, name.encode())
    assert [table.preview(name).read_bytes() for name in ("plain", "a/b", "a:b")] == [b"plain", b"a/b", b"a:b"]
    assert table.preview("plain") == tmp_path / "styles-previews" / "plain.png"
    (tmp_path / "styles-previews" / "plain.png").rename(tmp_path / "styles-previews" / "plain.webp")
    assert table.preview("plain").suffix == ".webp"
    table.set_preview("plain", None)
    assert table.preview("plain") is None
    with pytest.raises(NotFound):
        table.set_preview("unknown", b"")
