"""Findings that programs append to a file are taken when they come, whatever else the file is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from itbench.agents.findings import Findings


def follow(file: Path, *deeds: object) -> list[bytes]:
    findings = Findings()

    async def work() -> None:
        async with findings.followed(file):
            for deed in deeds:
                deed()  # type: ignore[operator]
                await asyncio.sleep(0.35)

    asyncio.run(work())
    return [posted.text for posted in findings.posted]


def append(file: Path, text: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(text)


def test_lines_are_taken_as_they_come_and_the_last_one_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "findings.jsonl"
    found = follow(file, lambda: append(file, b"one\ntw"), lambda: append(file, b"o\n\nthree"))
    assert found == [b"one", b"two", b"three"]


def test_each_has_the_time_at_which_it_came(tmp_path: Path) -> None:
    findings, file = Findings(), tmp_path / "findings.jsonl"

    async def work() -> None:
        async with findings.followed(file):
            append(file, b"one\n")
            while not findings.posted:
                await asyncio.sleep(0.05)
            append(file, b"two\n")

    asyncio.run(work())
    first, second = findings.posted
    assert 0 <= first.seconds <= second.seconds


def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the harness\n")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder", "nothing"):
        assert follow(tmp_path / name, lambda: None) == []


def test_a_flood_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "findings.jsonl"
    assert len(follow(file, lambda: append(file, b"x\n" * 1_000_000))) == 100
    long = tmp_path / "long.jsonl"
    assert follow(long, lambda: append(long, b"x" * 1_000_000 + b"\nlast\n")) == []
