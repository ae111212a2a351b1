"""Every command's help shows an example, and the examples are right: paths of commands and options that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import cast

import click
import pytest

from itbench.cli.main import main


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = cast("click.Command", group.get_command(context, name))
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


LEAVES = dict(leaves(main))


def examples(text: str) -> list[str]:
    """What follows `itbench ` in a help text, to the end of the line, a comment or two spaces (prose goes on)."""
    joined = text.replace("\b\n", "").replace("\\\n", " ")
    paragraphs = re.split(r"\n\s*\n", joined)
    found = []
    for paragraph in paragraphs:
        # A command at the beginning of a line, or after `Example:` or `Over stdio:`; not one that prose mentions.
        found += re.findall(r"(?m)^ *(?:[A-Z][\w ]*: +)?itbench (\S.*?) *(?:$|#|  )", paragraph)
    return found


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_the_help_of_every_command_shows_an_example(path: tuple[str, ...]) -> None:
    assert f"itbench {' '.join(path)}" in re.sub(r"\s+", " ", LEAVES[path].help or "")


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_examples_in_help_use_commands_and_options_that_exist(path: tuple[str, ...]) -> None:
    for example in examples(LEAVES[path].help or ""):
        words = shlex.split(example)
        depth = next(n for n in (2, 1) if tuple(words[:n]) in LEAVES)
        command = LEAVES[tuple(words[:depth])]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        options = [word.partition("=")[0] for word in words[depth:] if re.match(r"--?[a-z]", word)]
        assert set(options) <= known, example
        command.make_context(example, words[depth:], resilient_parsing=True)


def test_the_search_for_examples_finds_them() -> None:
    assert examples(LEAVES["run",].help or "")[:2] == [
        "run --suite starter --agent oracle --agent nop",
        "run --dataset ./ITBench-Lite --agent cmd:./my-agent --trials 3",
    ]
    assert sum(bool(examples(command.help or "")) for command in LEAVES.values()) > 40
