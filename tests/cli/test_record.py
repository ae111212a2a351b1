"""`itbench record`: what is wrong is said in one message."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from itbench.cli.main import main


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "cannot be used"), ("root:x:0:0\nfoo", "no kubeconfig"), ("a: [", "no kubeconfig"), ("{}", "used")],
)
def test_a_kubeconfig_that_is_none_is_named(text: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    done = CliRunner().invoke(main, ["record", "--kubeconfig", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert str(path) in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["record", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "something here already" in done.stderr
