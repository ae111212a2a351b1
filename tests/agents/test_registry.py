from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from itbench.agents import registry
from itbench.agents.builtin import Nop
from itbench.agents.command import CommandAgent
from itbench.model.errors import AgentError, UsageError


def good(argument: str) -> Nop:
    """A plug-in."""
    return Nop()


def bad(argument: str) -> int:
    """Returns nonsense."""
    return 3


def plug_in(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, registry.ENTRY_POINT_GROUP)


def test_labels_are_short_and_unique(tmp_path: Path) -> None:
    (tmp_path / "solve.py").write_text("")
    specs = ["nop", "nop", "best=nop", "cmd:./solve.py --fast", "cmd:python3 solve.py", "python:mine:Agent", "cmd:true"]
    configured = registry.configure(specs, tmp_path)
    expected = ["nop", "nop-2", "best", "cmd:solve", "cmd:solve-2", "python:mine-Agent", "cmd:true"]
    assert [agent.label for agent in configured] == expected


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("cmd:/opt/x/fix.sh", "cmd:fix"),
        ("cmd:python3 -m solver", "cmd:python3"),
        ("container:registry.example:5000/team/agent:1.2@sha256:ab?network=none", "container:agent-1.2"),
        ("http://agents.example:80/x", None),
        ("http:https://agents.example:80/x", "http:agents.example-80"),
        ("a2a:http://user:pass@agents.example:9000/x#itbench", "a2a:agents.example-9000"),
        ("llm:org/model-7b?temperature=0", "llm:org-model-7b"),
        ("baseline-without:changes", "baseline-without:changes"),
        ("replay:old/run", "replay:run"),
        ("cmd:/opt/…", "cmd"),
        ("baseline", "baseline"),
    ],
)
def test_a_label_begins_with_the_scheme(spec: str, label: str | None, tmp_path: Path) -> None:
    (configured,) = registry.configure([spec], tmp_path)
    assert configured.label.partition(":")[0] == spec.partition(":")[0]
    assert label is None or configured.label == label


def test_specs_are_kept_so_that_they_work_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "solve.py").write_text("")
    specs = ["cmd:python3 solve.py 'two words'", "python:mine:Agent", "replay:old"]
    assert [agent.spec for agent in registry.configure(specs, tmp_path)] == [
        f"cmd:python3 {tmp_path}/solve.py 'two words'",
        f"python:mine:Agent@{tmp_path}",
        f"replay:{tmp_path}/old",
    ]


def test_a_link_to_a_program_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to("real")
    (agent,) = registry.configure(["cmd:./link"], tmp_path)
    assert agent.spec == f"cmd:{tmp_path}/link"


def test_the_files_of_a_command_belong_to_the_run(tmp_path: Path) -> None:
    script = tmp_path / "solve.py"
    script.write_text("")
    assert registry.own_files(f"cmd:python3 {script} --model x") == (script,)
    assert registry.own_files("nop") == ()


def test_the_module_or_package_of_a_python_agent_belongs_to_the_run(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("")
    (tmp_path / "two" / "deep").mkdir(parents=True)
    (tmp_path / "two" / "deep" / "more.py").write_text("")
    assert registry.own_files(f"python:one:f@{tmp_path}") == (tmp_path / "one.py",)
    assert registry.own_files(f"python:two.deep:f@{tmp_path}") == (tmp_path / "two/deep/more.py",)
    assert registry.own_files(f"python:installed:f@{tmp_path}") == ()


def test_replayed_answers_belong_to_the_run(tmp_path: Path) -> None:
    (tmp_path / "1/1").mkdir(parents=True)
    (tmp_path / "1/1/agent_output.json").write_text("{}")
    assert registry.own_files(f"replay:{tmp_path}") == (tmp_path / "1/1/agent_output.json",)


@pytest.mark.parametrize(
    ("spec", "message"),
    [("nosuch", "no agent 'nosuch'"), ("nop:x", "as nop"), ("cmd", "as cmd:COMMAND"), ("cmd:", "as cmd:COMMAND")],
)
def test_a_wrong_spec_says_how_to_write_it(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        registry.make_agent(spec)


def test_a_plug_in_adds_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, point("mine", f"{__name__}:good"))
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("types").SimpleNamespace(good=good))
    assert isinstance(registry.make_agent("mine"), Nop)
    assert registry.entries()["mine"].summary == "A plug-in."


def test_a_broken_plug_in_warns_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, point("broken", "no.such.module:x"))
    with pytest.warns(UserWarning, match="cannot be loaded"):
        assert "broken" not in registry.entries()
    assert isinstance(registry.make_agent("nop"), Nop)


def test_a_plug_in_cannot_take_a_builtin_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, point("oracle", "no.such.module:x"))
    with pytest.warns(UserWarning, match="the name 'oracle' is taken"):
        assert registry.entries()["oracle"].origin == "itbench"


def test_a_plug_in_that_makes_no_agent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, point("odd", "odd_module:bad"))
    monkeypatch.setitem(__import__("sys").modules, "odd_module", __import__("types").SimpleNamespace(bad=bad))
    with pytest.raises(AgentError, match="odd_module:bad did not return an agent"):
        registry.make_agent("odd")


def test_a_program_is_found_on_the_path() -> None:
    agent = registry.make_agent("cmd:true --flag")
    assert isinstance(agent, CommandAgent)
    assert agent.argv == ("true", "--flag")
