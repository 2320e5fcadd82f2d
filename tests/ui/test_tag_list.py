"""Tags from CSV files: what is found by what is typed, and how fast."""
import time

import pytest

from modules.ui.tag_list import TagLists, as_prompt

DANBOORU = '''1girl,0,6008644,"1girls,sole_female"
long_hair,0,4350743,/lh
blue_hair,0,700000,
hair_ribbon,0,900000,
hatsune_miku_(append),4,500,
^_^,0,100,
'''


@pytest.fixture
def tags(tmp_path):
    (tmp_path / "danbooru.csv").write_text(DANBOORU, "utf-8")
    return TagLists(tmp_path)


def names(tags, typed, **keywords):
    return [found.tag.name for found in tags.found(typed, **keywords)]


def test_what_begins_so_comes_first_then_other_words_each_by_frequency(tags):
    assert names(tags, "hai") == ["hair_ribbon", "long_hair", "blue_hair"]
    assert names(tags, "Long H") == names(tags, "long_h") == ["long_hair"]
    assert names(tags, "h", most=2) == ["hair_ribbon", "hatsune_miku_(append)"]
    assert names(tags, "x") == names(tags, " ") == []


def test_a_tag_is_found_by_its_other_names(tags):
    assert [(found.tag.name, found.alias) for found in tags.found("sole")] == [("1girl", "sole_female")]
    assert [(found.tag.name, found.alias) for found in tags.found("1g")] == [("1girl", "")]
    assert names(tags, "/l") == ["long_hair"]


def test_tags_are_written_so_that_brackets_are_no_weights():
    assert as_prompt("hatsune_miku_(append)") == r"hatsune miku \(append\)"
    assert as_prompt("^_^") == "^_^"


def test_heads_short_rows_and_strange_files_do_no_harm_and_changed_files_are_read_again(tags):
    folder = tags.folder
    (folder / "other.csv").write_bytes(b"name,category,post_count,aliases\nlone_word\n\n,,\nsome,1,12\n\xff\xfe,0,1\n")
    (folder / "folder.csv").mkdir()
    assert names(tags, "lone") == ["lone_word"]
    (folder / "other.csv").write_text("lonely_road,0,5,\n")
    assert names(tags, "lone") == ["lonely_road"]
    assert names(TagLists(folder / "missing"), "a") == []


def test_a_list_of_40_000_tags_answers_while_one_types(tmp_path):
    lines = (f"word{number % 977}_thing{number}_{number % 89},0,{number},alias{number}\n" for number in range(40_000))
    (tmp_path / "many.csv").write_text("".join(lines))
    tags = TagLists(tmp_path)
    tags.found("w")
    began = time.perf_counter()
    for typed in ("w", "word1", "thing9", "alias77", "word12 thing"):
        assert tags.found(typed)
    assert (time.perf_counter() - began) / 5 < 0.5
