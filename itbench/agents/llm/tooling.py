"""The tools of one trial as the protocol describes them, and calls of them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from itbench.agents.llm.chat import Call
from itbench.agents.llm.window import shortened
from itbench.agents.protocol import LiveAccess
from itbench.model.base import Domain

if TYPE_CHECKING:
    from itbench.tools.kubectl import Kubectl
    from itbench.tools.registry import ToolSpec
    from itbench.tools.toolbox import ToolAnswer

# What the model knows the recorded files by; where they lie on this machine is nobody's business and changes every time.
FOLDER = "snapshot"
_LONGEST_ANSWER = 60_000
_MOST_CALLS = 16


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call brought; `held_by` names the intervention that answered in the tool's place."""

    text: str
    wrong: bool = False
    held_by: str = ""


class Callables(Protocol):
    """What has tools: a toolbox over a snapshot, or the workbench of a compliance task."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of each tool."""
        ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """The answer of a tool; never raises for what a model wrote."""
        ...


class Tooling:
    """Calls of tools; without any, there is nothing to call."""

    def __init__(self, toolbox: Callables | None, folder: Path | None) -> None:
        self._toolbox = toolbox
        self._folder = folder

    @property
    def definitions(self) -> tuple[dict[str, Any], ...]:
        """The tools, as the protocol describes them."""
        specs = self._toolbox.specs() if self._toolbox else ()
        return tuple(
            {
                "type": "function",
                "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
            }
            for spec in specs
        )

    async def answer(self, call: Call, number: int = 0) -> Answered:
        """The answer to the `number`-th call of a reply, from 0.

        More than 16 calls at once are refused one by one, so that a flood of calls costs a flood of errors only.
        """
        if number >= _MOST_CALLS:
            return Answered(f"error: at most {_MOST_CALLS} calls at a time; call again", wrong=True)
        return Answered(*await asyncio.to_thread(self._answer, call))

    def _answer(self, call: Call) -> tuple[str, bool]:
        if self._toolbox is None:
            return "error: this task has no tools", True
        if call.arguments is None:
            return f"error: the arguments of {call.name} are not a JSON object; call it again", True
        answer = self._toolbox.call(call.name, call.arguments)
        return shortened(self.neutral(answer.text), _LONGEST_ANSWER), answer.is_error

    def neutral(self, text: str) -> str:
        """The text without the path of this machine."""
        return text.replace(str(self._folder), FOLDER) if self._folder else text


@asynccontextmanager
async def open_tooling(
    folder: Path | None, domain: Domain, live: LiveAccess | None = None, hidden: tuple[Path, ...] = ()
) -> AsyncIterator[Tooling]:
    """The tools over a snapshot folder; none without a folder. A large one takes a while to open, on another thread.

    Args:
        folder: of the snapshot.
        domain: of the task.
        live: a live system, which kubectl, promql and findings then reach.
        hidden: what nothing that is tried for the model may read.

    Raises:
        SnapshotError: it cannot be opened.
    """
    if folder is None:
        yield Tooling(None, None)
        return
    if domain == "ciso":
        from itbench.compliance.workbench import Workbench

        yield Tooling(await asyncio.to_thread(Workbench, folder, hidden), folder)
        return
    from itbench.snapshot.snapshot import open_snapshot
    from itbench.tools.live import NOT_LIVE, LiveTools
    from itbench.tools.prometheus import PrometheusClient
    from itbench.tools.refreshing import open_growing
    from itbench.tools.toolbox import Toolbox

    with ExitStack() as stack:
        reach, opened = NOT_LIVE, open_snapshot
        if live is not None:
            prometheus = None if live.prometheus is None else PrometheusClient(live.prometheus)
            opened = open_growing
            reach = LiveTools(stack.enter_context(_kubectl(live)), prometheus, live.findings.post, folder)
        source = await asyncio.to_thread(opened, folder)
        toolbox = stack.enter_context(Toolbox(source, domain, live=reach))
        yield Tooling(toolbox, folder)


@contextmanager
def _kubectl(live: LiveAccess | None) -> Iterator[Kubectl | None]:
    """Kubectl with the agent's rights, where there is an API server; its files go afterwards."""
    program = None if live is None or live.kubeconfig is None else find_kubectl(live)
    if program is None or live is None or live.kubeconfig is None:
        yield None
        return
    from itbench.tools.kubectl import Kubectl

    with tempfile.TemporaryDirectory(prefix="itbench-kubectl-") as folder:  # for its owner alone
        path = Path(folder, "kubeconfig")
        path.write_text(live.kubeconfig, encoding="utf-8")
        yield Kubectl(program, path)


def find_kubectl(live: LiveAccess) -> Path | None:
    """The program, in PATH or where the harness has it."""
    found = shutil.which("kubectl") or (live.kubectl and shutil.which("kubectl", path=str(live.kubectl)))
    return Path(found) if found else None
