"""Agents by name: what `--agent` accepts, and how plug-ins add to it.

A spec is `name`, `scheme:argument` or `label=spec`. Entry points of the group `itbench.agents` add names and schemes;
each is a callable `(argument: str) -> Agent | Insider`, with a first docstring line that `itbench agent list` shows.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

from itbench.agents.protocol import Agent, AnyAgent, Insider
from itbench.model.errors import AgentError, UsageError
from itbench.model.guess import guess
from itbench.model.trial import AgentConfig

ENTRY_POINT_GROUP = "itbench.agents"
Factory = Callable[[str], AnyAgent]


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to name an agent. `argument` says what follows the colon, empty for plain names, in brackets if optional."""

    name: str
    argument: str
    summary: str
    make: Factory
    origin: str = "itbench"

    @property
    def form(self) -> str:
        """How a user writes it."""
        if self.argument.startswith("["):
            return f"{self.name}[:{self.argument[1:]}"
        return f"{self.name}:{self.argument}" if self.argument else self.name

    def accepts(self, argument: str) -> bool:
        """Whether this may follow the colon; plug-ins judge for themselves."""
        return self.origin != "itbench" or self.argument.startswith("[") or bool(self.argument) == bool(argument)


def entries() -> dict[str, Entry]:
    """Everything that can be named, built-in first; a plug-in that cannot be loaded warns and is left out."""
    found = {entry.name: entry for entry in _builtin()}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name in found:
            warnings.warn(f"agent plug-in {point.value} is ignored: the name {point.name!r} is taken", stacklevel=2)
            continue
        try:
            make = point.load()
        except Exception as error:
            # A broken plug-in must not stop a run that does not use it.
            warnings.warn(f"agent plug-in {point.value} cannot be loaded: {error}", stacklevel=2)
            continue
        summary = (make.__doc__ or "").strip().split("\n")[0]
        found[point.name] = Entry(point.name, "…", summary, make, origin=point.value)
    return found


def make_agent(spec: str) -> AnyAgent:
    """The agent that a spec without label names.

    Raises:
        UsageError: nothing of that name, or its argument is wrong.
        AgentError: a plug-in returned something that is not an agent.
    """
    name, _, argument = spec.partition(":")
    # Scanning installed packages takes longer than a trial: built-in names do without.
    entry = {entry.name: entry for entry in _builtin()}.get(name) or entries().get(name)
    if entry is None:
        found = entries()
        known = ", ".join(entry.form for entry in found.values())
        raise UsageError(f"there is no agent {name!r}", hint=f"{guess(name, found)}Known: {known}. See: itbench agent list")
    if not entry.accepts(argument):
        raise UsageError(f"write this agent as {entry.form}", key=f"--agent {spec}")
    agent = entry.make(argument)
    if not isinstance(agent, Agent | Insider):
        raise AgentError(f"the plug-in {entry.origin} did not return an agent: it has neither run() nor answer()")
    return agent


def configure(specs: Sequence[str], folder: Path) -> tuple[AgentConfig, ...]:
    """Labels and absolute specs for what the user typed in `folder`; equal labels are numbered."""
    taken: set[str] = set()
    configured = []
    for text in specs:
        label, spec = _split_label(text)
        spec = _absolute(spec, folder)
        label = label or _default_label(spec)
        unique, number = label, 1
        while unique in taken:
            number += 1
            unique = f"{label}-{number}"
        taken.add(unique)
        configured.append(AgentConfig(spec=spec, label=unique))
    return tuple(configured)


def own_files(spec: str) -> tuple[Path, ...]:
    """The files that an agent's spec names: they belong to the run's lock.

    For `cmd:` the files among its words, for `python:` the module or its whole package, for `replay:` the answers.
    """
    name, _, argument = spec.partition(":")
    if name == "with":
        return own_files(argument.partition(":")[2])
    if name == "cmd":
        from itbench.agents.command import named_files, split

        return named_files(split(argument))
    if name == "python":
        target, _, folder = argument.partition("@")
        top = Path(folder, target.partition(":")[0].partition(".")[0])
        return tuple(sorted(top.rglob("*.py"))) if top.is_dir() else tuple(filter(Path.is_file, [top.with_suffix(".py")]))
    if name == "replay":
        from itbench.agents.builtin import Replay

        return Replay(Path(argument)).files
    return ()


def _builtin() -> Iterable[Entry]:
    from itbench.agents import builtin

    def command(argument: str) -> AnyAgent:
        from itbench.agents.command import CommandAgent

        return CommandAgent.from_text(argument)

    def python(argument: str) -> AnyAgent:
        from itbench.agents.command import CommandAgent

        return CommandAgent.for_python(argument)

    def baseline(argument: str) -> AnyAgent:
        from itbench.agents.baseline.agent import Baseline

        return Baseline(argument)

    yield Entry("cmd", "COMMAND", "any program, in the sandbox; arguments as in a shell, without a shell", command)
    yield Entry("python", "MODULE:ATTRIBUTE", "a Python function or Agent class, in the sandbox", python)

    def llm(argument: str) -> AnyAgent:
        from itbench.agents.llm.agent import LlmAgent

        return LlmAgent.from_text(argument)

    def preset(name: str) -> Factory:
        def make(model: str) -> AnyAgent:
            from itbench.agents.presets import preset_agent

            return preset_agent(name, model)

        return make

    yield Entry("codex", "[MODEL]", "OpenAI's Codex CLI, in the sandbox, with our tools over MCP", preset("codex"))
    yield Entry("claude", "[MODEL]", "Claude Code, in the sandbox, with our tools over MCP", preset("claude"))
    yield Entry("gemini", "[MODEL]", "Gemini CLI, in the sandbox, with our tools over MCP", preset("gemini"))
    yield Entry("llm", "MODEL[?OPTION=VALUE&…]", "a model behind an OpenAI-compatible endpoint, with tools", llm)

    def container(argument: str) -> AnyAgent:
        from itbench.agents.container import ContainerAgent

        return ContainerAgent.from_text(argument)

    yield Entry("container", "IMAGE[?OPTION=VALUE&…]", "an image, by the Docker engine, without network", container)

    def http(argument: str) -> AnyAgent:
        from itbench.agents.http_agent import HttpAgent

        return HttpAgent.from_text(argument)

    def a2a(argument: str) -> AnyAgent:
        from itbench.agents.a2a_agent import A2aAgent

        return A2aAgent.from_text(argument)

    yield Entry("http", "URL", "an agent behind an address: a task is posted, an answer comes back", http)
    yield Entry("a2a", "URL[#itbench]", "an agent that speaks Agent2Agent; #itbench for START, GET, DONE", a2a)
    yield Entry("oracle", "", "answers from the ground truth: the ceiling", lambda _: builtin.Oracle())
    yield Entry("nop", "", "answers that nothing is wrong: the floor", lambda _: builtin.Nop())
    yield Entry(
        "baseline", "", "finds root causes (SRE, FinOps) by general rules, without a language model", lambda _: baseline("")
    )
    yield Entry("baseline-without", "RULES", "the same without some of its rules, to see what they are worth", baseline)

    def template(_: str) -> AnyAgent:
        from itbench.agents.compliance import Template

        return Template()

    def adversary(name: str) -> AnyAgent:
        from itbench.agents.compliance import Adversary

        return Adversary(name)

    def guarded(argument: str) -> AnyAgent:
        from itbench.agents.interventions.around import around
        from itbench.agents.interventions.catalogue import read_interventions

        names, _, spec = argument.partition(":")
        if not names or not spec:
            raise UsageError(
                "write this agent as with:INTERVENTIONS:AGENT", hint="For example: with:gate,loop:llm:gpt-5-mini"
            )
        return around(make_agent(spec), read_interventions(names), spec)

    yield Entry("with", "INTERVENTIONS:AGENT", "an agent with guards around it, such as with:gate,loop:llm:MODEL", guarded)
    yield Entry("template", "", "CISO: picks a policy by words of the requirement: the floor", template)
    yield Entry(
        "adversary", "[NAME]", "CISO: always-no, always-yes, file-names or file-hashes; FinOps: names everything", adversary
    )
    yield Entry("replay", "FOLDER", "the answers of an earlier run again", lambda folder: builtin.Replay(Path(folder)))


def _split_label(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._+-]*)=(.+)", text, re.DOTALL)
    return (match[1], match[2]) if match else ("", text)


def _default_label(spec: str) -> str:
    """`scheme:what`, so that reports tell a program from an image and a model; the scheme alone for plain names."""
    name, _, argument = spec.partition(":")
    if name == "with":
        names, _, inner = argument.partition(":")
        return f"{_default_label(inner)}+{_harmless(names)}"
    told = _harmless(_told(name, argument)) if argument else ""
    return f"{name}:{told}" if told else name


def _told(name: str, argument: str) -> str:
    """What of an argument tells its agent from others of the same scheme."""
    if name == "cmd":
        from itbench.agents.command import split

        words = split(argument)
        scripts = [word for word in words[1:] if word.startswith("/")]
        return Path((scripts or words)[0]).stem
    if name in ("http", "a2a"):
        return urlsplit(argument).netloc.rpartition("@")[2]
    if name == "container":
        return Path(argument.partition("?")[0]).name.partition("@")[0]
    if name == "python":
        return argument.partition("@")[0]
    return argument.partition("?")[0] if name == "llm" else Path(argument).name


def _harmless(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-")


def _absolute(spec: str, folder: Path) -> str:
    name, _, argument = spec.partition(":")
    if name == "with":
        names, _, inner = argument.partition(":")
        return f"with:{names}:{_absolute(inner, folder)}"
    if name == "cmd":
        import shlex

        from itbench.agents.command import split

        # Not resolved: the python of a virtual environment is a link, and only works by its own name.
        words = [os.path.abspath(folder / word) if _is_file_here(word, folder) else word for word in split(argument)]  # noqa: PTH100
        return f"cmd:{shlex.join(words)}"
    if name == "replay":
        return f"replay:{(folder / argument).resolve()}"
    if name == "python" and "@" not in argument:
        return f"python:{argument}@{folder.resolve()}"
    return spec


def _is_file_here(word: str, folder: Path) -> bool:
    try:
        return (folder / word).is_file()
    except (OSError, ValueError):
        return False
