from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from itbench.model.errors import UsageError
from itbench.sandbox import concealment
from itbench.sandbox.box import Box


def exposing(place: Path, *exposed: Path) -> Box:
    return replace(hiding(place), expose=exposed)


def hiding(place: Path, *hidden: Path) -> Box:
    return Box(mode="none", argv=("true",), workspace=place, stdout=place / "o", stderr=place / "e", hidden=hidden)


def test_only_the_outermost_existing_paths_are_hidden_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    box = hiding(tmp_path, tmp_path / "a" / "b", tmp_path / "ab", tmp_path / "a", tmp_path / "gone")
    assert concealment.answers(box) == (tmp_path / "a", tmp_path / "ab")


def test_a_link_hides_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert concealment.answers(hiding(tmp_path, tmp_path / "link")) == (tmp_path / "real",)


def test_the_history_of_a_repository_is_hidden_with_what_it_tracks(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "scenarios" / "sre").mkdir(parents=True)
    box = hiding(tmp_path, tmp_path / "scenarios" / "sre")
    assert concealment.answers(box) == (tmp_path / ".git", tmp_path / "scenarios" / "sre")


def test_the_shared_history_of_a_worktree_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "main" / ".git" / "worktrees" / "w").mkdir(parents=True)
    (tmp_path / "w" / "data").mkdir(parents=True)
    (tmp_path / "w" / ".git").write_text(f"gitdir: {tmp_path}/main/.git/worktrees/w\n")
    assert tmp_path / "main" / ".git" in concealment.answers(hiding(tmp_path, tmp_path / "w" / "data"))


def test_a_git_link_that_leads_nowhere_hides_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "w" / "data").mkdir(parents=True)
    (tmp_path / "w" / ".git").symlink_to(tmp_path / "gone")
    assert concealment.answers(hiding(tmp_path, tmp_path / "w" / "data")) == (tmp_path / "w" / "data",)


def test_credentials_of_the_home_directory_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".netrc").touch()
    (tmp_path / ".bashrc").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    found = [path.name for path in concealment.credentials() if path.parent == tmp_path]
    assert found == [".netrc", ".ssh"]


def test_what_lies_in_a_hidden_place_cannot_be_exposed_not_even_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "data" / "agent").mkdir(parents=True)
    (tmp_path / "link").symlink_to("data/agent")
    for path in (tmp_path / "data", tmp_path / "data" / "agent", tmp_path / "link"):
        with pytest.raises(UsageError) as caught:
            concealment.exposed(exposing(tmp_path, path), (tmp_path / "data",))
        assert caught.value.path == str(path.resolve())
        assert f"{tmp_path}/data" in caught.value.message


def test_what_lies_around_or_beside_a_hidden_place_can_be_exposed(tmp_path: Path) -> None:
    for name in ("data", "database"):
        (tmp_path / name).mkdir()
    box = exposing(tmp_path, tmp_path / "database", tmp_path, tmp_path / "gone")
    assert concealment.exposed(box, (tmp_path / "data",)) == (tmp_path, tmp_path / "database")


def test_a_folder_is_not_within_one_whose_name_begins_alike() -> None:
    assert concealment.within(Path("/a/b/c"), [Path("/a/b")])
    assert not concealment.within(Path("/a/bc"), [Path("/a/b")])
