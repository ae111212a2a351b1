"""What a small shell script does and how long it takes: enough of sh for the commands that manifests contain.

Known are echo, printf, sleep, exit, true, false, cat, ls, touch, rm, mkdir, test, exec, wait, jq and
`python -m json.tool` on a file, scripts in mounted files, `;`, `&&`, `||`, `&`, and loops, which are taken never to end
unless something in them exits. Other words are commands that the image lacks.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Template

NOT_FOUND = 127
TOOLS = frozenset(
    "echo printf sleep true false : cat ls touch rm mkdir test [ exit env date hostname id pwd tail "
    "wait jq head dd base64".split()
)
SHELLS = frozenset(
    {"sh", "/bin/sh", "bash", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash", "ash", "/bin/ash", "dash", "/bin/dash"}
)
_LONGEST = 1e9
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SEPARATOR = re.compile(r"(;|&&|\|\||\n|(?<![>&])&(?![&>\d]))")
# A client such as valkey-cli that stores something, and how much `head -c 1M` or `dd bs=1M` take.
_CLIENT = re.compile(r"-cli\b.*?\b(set|append|lpush|rpush|setrange)\b", re.IGNORECASE | re.DOTALL)
_TAKEN = re.compile(r"(?:head\s+-c\s*|bs=)\"?(\d{1,12})([KMGkmg]?)")
_SIZES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_LOOP = re.compile(r"\s*(while|until|for)\b.*?\bdo\b(?P<body>.*)\bdone\b", re.DOTALL)


@dataclass
class Run:
    """What a script did.

    Attributes:
        seconds: how long it ran, or until it became another program; infinite where it never ends.
        code: its exit code.
        output: the lines it printed, with the second at which it did.
        files: what happened to files: second, path, whether it is there from then on.
        becomes: the program to which it handed over with `exec`.
        background: the programs that it started beside itself.
        growth: bytes a second that it stores in a server beside it.
        texts: files that are mounted, with their text.
        env: the variables.
    """

    seconds: float = 0.0
    code: int = 0
    output: list[tuple[float, str]] = field(default_factory=list)
    files: list[tuple[float, str, bool]] = field(default_factory=list)
    becomes: str | None = None
    background: list[str] = field(default_factory=list)
    growth: float = 0.0
    texts: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def programs(self) -> frozenset[str]:
        """What it has started besides tools."""
        return frozenset(self.background) | ({self.becomes} if self.becomes is not None else set())

    def has(self, path: str, second: float) -> bool:
        """Whether a file is there at a second."""
        if path in self.texts:
            return True
        states = [there for time, name, there in self.files if name == path and time <= second]
        return bool(states) and states[-1]

    @property
    def forever(self) -> bool:
        """Whether it never ends."""
        return math.isinf(self.seconds)


def is_tool(word: str) -> bool:
    """Whether a command word is one of the usual tools."""
    return word.rpartition("/")[2] in TOOLS and word.startswith(("/bin/", "/usr/bin/", *TOOLS))


def run_script(
    script: str,
    env: Mapping[str, str],
    before: Run | None = None,
    start: float = 0.0,
    files: Mapping[str, str] | None = None,
) -> Run:
    """Run a script.

    Args:
        script: its text.
        env: the variables.
        before: what ran in the same file system before; its files are there.
        start: the second at which the script begins.
        files: that are mounted, with their text.
    """
    known = files if files is not None else before.texts if before is not None else {}
    run = Run(seconds=start, files=list(before.files) if before is not None else [], texts=known, env=env)
    _run_list(Template(script).safe_substitute(env), run)
    return run


def run_command(
    words: Sequence[str],
    env: Mapping[str, str],
    before: Run | None = None,
    start: float = 0.0,
    files: Mapping[str, str] | None = None,
) -> Run:
    """Run one command in exec form: a shell with -c or a script, or a tool."""
    if words[0] not in SHELLS:
        return run_script(shlex.join(words), {}, before, start, files)
    options = list(words[1:])
    if "-c" in options[:-1]:
        return run_script(options[options.index("-c") + 1], env, before, start, files)
    path = next((word for word in options if not word.startswith("-")), "")
    known = files if files is not None else before.texts if before is not None else {}
    if path and path not in known:
        missing = run_script("", env, before, start, files)
        missing.code = NOT_FOUND
        missing.output.append((start, f"sh: 0: cannot open {path}: No such file"))
        return missing
    return run_script(known.get(path, ""), env, before, start, files)


def _run_list(text: str, run: Run) -> bool:
    """Run commands until one ends the script; gives whether it goes on."""
    loop = _LOOP.match(text)
    if loop is not None:
        return _run_loop(loop["body"], run) and _run_list(text[loop.end() :].lstrip(" ;\n"), run)
    parts = _SEPARATOR.split(text)
    for index in range(0, len(parts), 2):
        separator = parts[index - 1] if index else ";"
        if (separator == "&&" and run.code != 0) or (separator == "||" and run.code == 0):
            continue
        rest = "".join(parts[index:])
        if _LOOP.match(rest):
            return _run_list(rest.strip(), run)
        if index + 1 < len(parts) and parts[index + 1] == "&":
            _run_beside(parts[index].strip(), run)
            continue
        if not _run_one(parts[index].strip(), run):
            return False
    return True


def _run_loop(body: str, run: Run) -> bool:
    """A loop's body runs once for what it prints; unless it exits, the loop goes on for ever."""
    once = Run(seconds=run.seconds, files=run.files, texts=run.texts)
    goes_on = _run_list(body.strip(" ;\n"), once)
    run.growth += _stored(body) / max(once.seconds - run.seconds, 0.01) if goes_on else 0.0
    run.output += once.output
    run.code, run.becomes = once.code, once.becomes
    run.seconds = math.inf if goes_on else once.seconds
    return False


def _run_beside(command: str, run: Run) -> None:
    """Start a command that the script does not wait for."""
    try:
        words = shlex.split(command.partition(">")[0])
    except ValueError:
        return
    words = words[1:] if words[:1] == ["nohup"] else words
    if words and not is_tool(words[0]):
        inner = _script_of(words, run)
        if inner is None:
            run.background.append(words[0])
        else:
            run.background += sorted(inner.programs)
            run.growth += inner.growth


def _script_of(words: Sequence[str], run: Run) -> Run | None:
    """What a script does that words call; None if they call something else."""
    if words[0] in run.texts:
        return run_script(run.texts[words[0]], run.env, run, run.seconds)
    return run_command(words, run.env, run, run.seconds) if words[0] in SHELLS else None


def _stored(body: str) -> float:
    """Bytes that a round of a loop stores in a server: what it takes from a device and gives to a client."""
    if not _CLIENT.search(body):
        return 0.0
    return sum(float(found[1]) * _SIZES[found[2].lower()] for found in _TAKEN.finditer(body))


def _run_one(command: str, run: Run) -> bool:
    """Run one simple command; gives whether the script goes on."""
    try:
        words = shlex.split(command.partition(">")[0] if ">" in command else command, comments=True)
    except ValueError:
        run.code = 2
        run.output.append((run.seconds, "sh: 1: Syntax error: Unterminated quoted string"))
        return False
    if not words:
        return True
    name, rest = words[0].rpartition("/")[2], words[1:]
    if name == "exec" and rest:
        return _hand_over(rest, run)
    inner = _script_of(words, run)
    if inner is not None:
        _take_over(inner, run)
        return not run.forever
    if name == "exit":
        run.code = int(rest[0]) % 256 if rest and rest[0].isdecimal() else run.code
        return False
    checks_json = (name == "jq" and rest) or (name in ("python", "python3") and rest[:2] == ["-m", "json.tool"])
    run.code = _check_json(rest[-1], run) if checks_json else _tool(name, rest, run, quiet=">" in command)
    return not run.forever


def _hand_over(words: list[str], run: Run) -> bool:
    inner = _script_of(words, run)
    if inner is None and is_tool(words[0]):
        inner = run_command(words, {}, run, run.seconds)
    if inner is None:
        run.becomes = words[0]
    else:
        _take_over(inner, run)
    return False


def _take_over(inner: Run, run: Run) -> None:
    """What a script within a script did, the script did."""
    run.seconds, run.code, run.files = inner.seconds, inner.code, inner.files
    run.output += inner.output
    run.background += inner.background
    run.growth += inner.growth
    run.becomes = inner.becomes or run.becomes


def _tool(name: str, rest: list[str], run: Run, *, quiet: bool) -> int:
    """Do what a tool does; gives its exit code."""
    paths = [word for word in rest if not word.startswith("-")]
    match name:
        case "echo" | "printf":
            if not quiet:
                run.output.append((run.seconds, " ".join(rest)))
        case "sleep":
            run.seconds += _duration(rest)
        case "tail":
            run.seconds = math.inf if "-f" in rest else run.seconds
        case "false":
            return 1
        case "touch" | "mkdir":
            run.files += [(run.seconds, path, True) for path in paths]
        case "rm":
            run.files += [(run.seconds, path, False) for path in paths]
        case "cat" | "ls":
            missing = [path for path in paths if not run.has(path, run.seconds)]
            run.output += [(run.seconds, f"{name}: {path}: No such file or directory") for path in missing]
            return 1 if missing else 0
        case "wait":
            run.seconds = math.inf if run.background else run.seconds
        case "test" | "[":
            return _test([word for word in rest if word != "]"], run)
        case _ if name not in TOOLS:
            run.output.append((run.seconds, f"sh: 1: {name}: not found"))
            return NOT_FOUND
        case _:
            pass
    return 0


def _check_json(path: str, run: Run) -> int:
    """Whether a mounted file is JSON."""
    try:
        json.loads(run.texts[path])
    except KeyError:
        run.output.append((run.seconds, f"[Errno 2] No such file or directory: '{path}'"))
        return 1
    except (ValueError, RecursionError) as error:
        run.output.append((run.seconds, str(error)))
        return 1
    return 0


def _duration(words: Sequence[str]) -> float:
    """Seconds of `sleep 1m 30`; `infinity` is infinite."""
    total = 0.0
    for word in words:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", word)
        total += min(float(found[1]) * _UNITS[found[2]], _LONGEST) if found else math.inf if word == "infinity" else 0.0
    return total


def _test(words: list[str], run: Run) -> int:
    negate = bool(words) and words[0] == "!"
    words = words[1:] if negate else words
    match words:
        case ["-f" | "-e" | "-d" | "-r" | "-s", path]:
            holds = run.has(path, run.seconds)
        case ["-z", *value]:
            holds = not "".join(value)
        case ["-n", *value]:
            holds = bool("".join(value))
        case [left, "=" | "==", right]:
            holds = left == right
        case [left, "!=", right]:
            holds = left != right
        case [value]:
            holds = bool(value)
        case _:
            holds = False
    return int(holds == negate)
