"""The files behind the cards: what is found, what belongs to it, what is wrong with it, and how fast."""
import json
import os
import time

import pytest
import torch
from safetensors.torch import save_file

from modules.errors import NotFound
from modules.networks.catalog import CardCatalog, metadata_of, trained_tags, write_notes, write_preview

SUFFIXES = (".safetensors", ".pt")


def write_file(path, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.zeros(2)}, path, metadata=metadata or None)
    return path


def catalog(*folders, **more):
    return CardCatalog(lambda: folders, SUFFIXES, **more)


def test_sub_folders_and_links_are_followed_and_loops_are_not(tmp_path):
    write_file(tmp_path / "here" / "a.safetensors")
    write_file(tmp_path / "elsewhere" / "deep" / "b.safetensors")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "here")
    cards = catalog(tmp_path / "here").cards()
    assert [(card.key, card.folder) for card in cards] == [("a.safetensors", ""), ("link/deep/b.safetensors", "link/deep")]


def test_of_two_files_with_one_name_the_second_is_called_by_its_path(tmp_path):
    for place in ("one/a.safetensors", "one/sub/a.safetensors", "two/a.safetensors"):
        write_file(tmp_path / place)
    cards = catalog(tmp_path / "one", tmp_path / "two").cards()
    assert [(card.key, card.name, bool(card.problem)) for card in cards] == [
        ("a.safetensors", "a", False), ("sub/a.safetensors", "sub/a", False), ("two/a.safetensors", "a", True)]


@pytest.mark.parametrize("present, shown", [
    (("a.png", "a.preview.png", "a.jpg"), "a.preview.png"), (("a.jpg", "a.png"), "a.png"), (("a.webp",), "a.webp"), (("b.png",), None)])
def test_the_preview_is_the_picture_of_the_same_name(tmp_path, present, shown):
    write_file(tmp_path / "a.safetensors")
    for name in present:
        (tmp_path / name).write_bytes(b"")
    card, = catalog(tmp_path).cards()
    assert (card.preview.name if card.preview else None) == shown


def test_pictures_can_be_networks_unless_they_are_previews(tmp_path):
    write_file(tmp_path / "a.safetensors")
    for name in ("a.png", "a.preview.png", "alone.png"):
        (tmp_path / name).write_bytes(b"")
    cards = CardCatalog(lambda: [tmp_path], (*SUFFIXES, ".png"), problem_of=lambda path: None).cards()
    assert [card.key for card in cards] == ["a.safetensors", "alone.png"] and cards[1].preview == tmp_path / "alone.png"


def test_files_that_cannot_be_used_are_there_with_their_reason(tmp_path):
    (tmp_path / "page.safetensors").write_bytes(b"<html>404")
    (tmp_path / "gone.pt").symlink_to(tmp_path / "nowhere")
    problems = {card.name: card.problem for card in catalog(tmp_path).cards()}
    assert "web page" in problems["page"] and "cannot be read" in problems["gone"]


@pytest.mark.parametrize("notes", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"description": {"a": 1}}'])
def test_damaged_notes_count_as_none(tmp_path, notes):
    write_file(tmp_path / "a.safetensors")
    (tmp_path / "a.json").write_bytes(notes)
    card, = catalog(tmp_path).cards()
    assert card.description == "" and not card.problem


def test_notes_are_changed_without_losing_those_of_other_programs(tmp_path):
    write_file(tmp_path / "a.safetensors")
    (tmp_path / "a.json").write_text(json.dumps({"description": "old", "theirs": [1, 2], "negative text": "bad"}))
    found = catalog(tmp_path)
    write_notes(found.find("a.safetensors"), {"description": "new", "negative text": None, "preferred weight": 0.7})
    assert json.loads((tmp_path / "a.json").read_text()) == {"description": "new", "theirs": [1, 2], "preferred weight": 0.7}
    card, = found.cards()
    assert (card.description, card.note("preferred weight")) == ("new", "0.7")


def test_a_new_preview_is_seen_at_once(tmp_path):
    write_file(tmp_path / "a.safetensors")
    found = catalog(tmp_path)
    write_preview(found.find("a.safetensors"), b"png")
    card, = found.cards()
    assert card.preview == tmp_path / "a.preview.png" and card.preview_ns == card.preview.stat().st_mtime_ns


def test_a_file_that_was_removed_is_not_found(tmp_path):
    path = write_file(tmp_path / "a.safetensors")
    found = catalog(tmp_path)
    found.cards()
    path.unlink()
    with pytest.raises(NotFound):
        found.find("a.safetensors")
    with pytest.raises(NotFound):
        found.find("../a.safetensors")


def test_what_a_file_says_about_itself_is_read_with_the_tags_of_its_training(tmp_path):
    tags = {"1_x": {"cat": 2, "dog": 5}, "2_y": {"cat ": 4}}
    path = write_file(tmp_path / "a.safetensors", ss_tag_frequency=json.dumps(tags), title="{no json")
    metadata = metadata_of(path)
    assert metadata["title"] == "{no json" and trained_tags(metadata) == [("cat", 6), ("dog", 5)]


def test_five_thousand_files_are_listed_in_less_than_a_second(tmp_path):
    first = write_file(tmp_path / "0.safetensors").read_bytes()
    for number in range(1, 5000):
        (tmp_path / f"{number}.safetensors").write_bytes(first)
    os.truncate(tmp_path / "9.safetensors", 10**12)  # sparse, so that nothing could read it through
    found = catalog(tmp_path)
    began = time.process_time()
    assert len(found.cards()) == 5000
    assert time.process_time() - began < 1
    began = time.process_time()
    found.cards()
    assert time.process_time() - began < 0.5
