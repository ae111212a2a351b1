"""kubectl for agents that call tools: allowed verbs and flags only, without a shell, in bounded time.

kubectl runs on the harness's side here, so nothing that an agent writes may make it read or write a file, speak to another
server, or act as somebody else. What is not on the lists is refused with a message that says what is.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Timer

from itbench.tools.errors import ToolError, did_you_mean

READING = frozenset(("get", "describe", "logs", "events", "explain", "api-resources", "version"))
WRITING = frozenset(
    ("scale", "patch", "delete", "apply", "create", "replace", "label", "annotate", "cordon", "uncordon", "drain", "expose")
)
# Verbs with a second word; those that write are marked.
_TWO_WORDS = {
    "rollout": {"status": False, "history": False, "undo": True, "restart": True, "pause": True, "resume": True},
    "set": {"image": True, "env": True, "resources": True, "selector": True, "serviceaccount": True},
    "auth": {"can-i": False, "whoami": False},
}
_SWITCHES = frozenset(
    """
    -A --all-namespaces --show-labels --no-headers -p --previous --timestamps --all-containers --prefix --ignore-not-found
    --force --now --overwrite --ignore-daemonsets --delete-emptydir-data --show-managed-fields --recursive --namespaced
    --all --list --server-side --local=false --watch=false --show-events --warnings-only --wait
    """.split()
)
_VALUED = frozenset(
    """
    -n --namespace -o --output -l --selector --field-selector --sort-by --tail --since --since-time -c --container --replicas
    --current-replicas --type --patch --to-revision --revision --limit --chunk-size --grace-period --cascade --limits
    --requests --containers --env --for --types --timeout --pod-selector --api-group --api-version --verbs --subresource
    --resource-version --image --port --target-port --name --tcp --from-literal --clusterip --dry-run --limit-bytes -e
    """.split()
)
# They may also stand alone, and then take no word: a value is written behind an equals sign.
_OPTIONALLY_VALUED = frozenset(("--dry-run", "--cascade"))
_NUMBER = re.compile(r"-[0-9]+")
_OUTPUTS = re.compile(r"^(json|yaml|wide|name|jsonpath(-as-json)?=.*|custom-columns=.*|go-template=.*)$", re.DOTALL)
SECONDS = 30.0
_MOST_BYTES = 2_000_000
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One cluster, with one user's rights.

    Attributes:
        program: kubectl.
        kubeconfig: says where the cluster is and who asks.
    """

    program: Path
    kubeconfig: Path

    def run(self, command: str, manifest: str | None = None, *, dry_run: bool = False) -> str:
        """What kubectl prints.

        Args:
            command: its arguments, as in a shell; a `kubectl` in front is ignored.
            manifest: what apply, create and replace read.
            dry_run: let the server check a change, and show what would become of the object, without making it.

        Raises:
            ToolError: it is not allowed, it is refused, or it takes too long.
        """
        words, writes = checked(command, with_manifest=manifest is not None)
        if manifest is not None:
            words += ["-f", "-"]
        if dry_run:
            if not writes:
                raise ToolError("dry_run is for commands that change something")
            words += ["--dry-run=server"] if "drain" in words else ["--dry-run=server", "-o", "yaml"]
        code, text = self._execute(words, manifest)
        if code:
            raise ToolError(text.strip() or f"kubectl ended with {code}")
        return text or "(no output)"

    def _execute(self, words: Sequence[str], manifest: str | None) -> tuple[int, str]:
        home = self.kubeconfig.parent
        late = Event()
        with TemporaryFile() as given:
            given.write((manifest or "").encode())
            given.seek(0)
            process = subprocess.Popen(
                [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={home / 'kubectl-cache'}", *words],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={"HOME": str(home), "PATH": os.defpath},
                cwd=home,
                start_new_session=True,
            )
        assert process.stdout is not None

        def end() -> None:
            late.set()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        clock = Timer(SECONDS, end)
        clock.start()
        try:
            with process.stdout:
                raw = process.stdout.read(_MOST_BYTES)  # logs may have any length; nobody reads on, which ends kubectl
            code = process.wait()
        finally:
            clock.cancel()
        if late.is_set():
            raise ToolError(f"kubectl took more than {SECONDS:.0f} s", hint="Ask for less, or do not wait.")
        return 0 if len(raw) == _MOST_BYTES else code, raw.decode(errors="replace")


def checked(command: str, *, with_manifest: bool = False) -> tuple[list[str], bool]:
    """The words of a command, and whether it changes something.

    Raises:
        ToolError: a verb or flag is not allowed.
    """
    if len(command) > _LONGEST:
        raise ToolError(f"a command has at most {_LONGEST} characters", hint="Pass objects as `manifest`.")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(f"cannot read this command ({error})") from None
    words = words[1:] if words[:1] == ["kubectl"] else words
    if any("\0" in word for word in words):
        raise ToolError("a command has no NUL characters")
    plain = list(_without_flags(words))
    verb = plain[0] if plain else ""
    writes = _writes(verb, plain[1] if len(plain) > 1 else "")
    if verb in ("apply", "replace") and not with_manifest:
        raise ToolError(f"{verb} needs the argument manifest")
    if with_manifest and verb not in ("apply", "create", "replace", "delete"):
        raise ToolError("only apply, create, replace and delete take a manifest")
    return words, writes


def _writes(verb: str, second: str) -> bool:
    if verb in _TWO_WORDS:
        known = _TWO_WORDS[verb]
        if second not in known:
            raise ToolError(f"`{verb} {second}` is not allowed", hint=f"Allowed: {', '.join(known)}")
        return known[second]
    if verb in READING:
        return False
    if verb in WRITING:
        return True
    allowed = sorted((*READING, *WRITING, *_TWO_WORDS))
    near = did_you_mean(verb, allowed) if verb else None
    raise ToolError(f"the verb {verb[:40]!r} is not allowed. Allowed: {', '.join(allowed)}", hint=near)


def _without_flags(words: Sequence[str]) -> Iterator[str]:
    """The words that are no flags.

    Raises:
        ToolError: a flag is not allowed.
    """
    left = iter(words)
    verb = ""
    for word in left:
        if not word.startswith("-") or word == "-":
            verb = verb or word
            yield word
            continue
        flag, equals, value = word.partition("=")
        if flag == "-p" and not verb:
            raise ToolError("-p stands after the verb")
        short = not word.startswith("--") and len(word) > 2 and not equals
        if short and word[:2] in _VALUED:  # -nshop
            flag, equals, value = word[:2], "=", word[2:]
        valued = flag in _VALUED or (flag == "-p" and verb == "patch")
        if not valued and (flag not in _SWITCHES and word not in _SWITCHES):
            raise ToolError(f"the flag {flag[:40]} is not allowed", hint="Objects are passed as `manifest`, not by -f.")
        if equals and not valued and value not in ("true", "false"):
            raise ToolError(f"the flag {flag[:40]} takes no value")
        if valued and not equals and flag not in _OPTIONALLY_VALUED:
            value = next(left, "")
            if value.startswith("-") and not _NUMBER.fullmatch(value):
                # Where kubectl takes the flag for one without a value, this word would be a flag that nobody has looked at.
                raise ToolError(
                    f"{value[:40]!r} is no value of {flag}", hint=f"If it is meant so, write {flag}={value[:40]}"
                )
        if flag in ("-o", "--output") and not _OUTPUTS.match(value):
            raise ToolError(f"the output {value[:40]!r} is not allowed", hint="Take json, yaml, wide, name or jsonpath=…")
