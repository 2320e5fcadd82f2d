"""Where an extension came from, read without running git."""
from pathlib import Path

import pytest

from modules.extensions.clone import Origin, origin_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def git(tmp_path) -> Path:
    folder = tmp_path / ".git"
    folder.mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "config").write_text('[remote "origin"]\n\turl = https://ann:secret@example.org/a/b.git\n')
    return folder


def test_a_clone_names_address_branch_and_commit_without_a_login(git, tmp_path):
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert origin_of(tmp_path) == Origin(remote="https://example.org/a/b.git", branch="main", commit=COMMIT)


def test_packed_branches_are_found(git, tmp_path):
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{'f' * 40} refs/heads/other\n{COMMIT} refs/heads/main\n")
    assert origin_of(tmp_path).commit == COMMIT


def test_a_commit_without_a_branch(git, tmp_path):
    (git / "HEAD").write_text(COMMIT)
    assert (origin_of(tmp_path).branch, origin_of(tmp_path).commit) == ("", COMMIT)


def test_a_folder_that_is_no_clone_has_no_origin(tmp_path):
    assert origin_of(tmp_path) == Origin()


def test_a_branch_that_leads_out_of_the_folder_is_not_followed(git, tmp_path):
    (tmp_path / "secret").write_text(COMMIT)
    (git / "HEAD").write_text("ref: refs/heads/../../../secret")
    assert origin_of(tmp_path).commit == ""


def test_an_address_keeps_signs_that_belong_to_its_path(git, tmp_path):
    (git / "config").write_text('[remote "origin"]\n\turl = https://ann@example.org/a@b/c.git\n')
    assert origin_of(tmp_path).remote == "https://example.org/a@b/c.git"
