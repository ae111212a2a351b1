"""What the tests of compliance share: engines, a place to run scripts, and an answer with its two sets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from itbench.compliance.engine import Engine, find_engine
from itbench.compliance.fetch import StaticFetch
from itbench.compliance.judge import judge
from itbench.compliance.place import Place, find_place
from itbench.compliance.variants import Variant
from itbench.model.compliance import Judged
from itbench.model.errors import ItbenchError

FETCH = """#!/bin/bash
python3 - <<'E'
import glob, json
json.dump({f: open(f).read() for f in sorted(glob.glob('static-resources/*'))}, open('collected_data.json', 'w'))
E
"""
REGO = """package check

default result := false

result if {
	count(input) > 0
	every text in input {
		not contains(text, "bad")
	}
}
"""
SETS = (
    Variant("static-resources", "violating", {"a.yaml": b"good\n", "b.yaml": b"bad\n"}),
    Variant("fine", "compliant", {"a.yaml": b"good\n", "b.yaml": b"good\n"}),
)
Trial = Callable[..., Judged]


def _engine(name: str) -> Engine:
    try:
        return find_engine(name)  # type: ignore[arg-type]
    except ItbenchError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["opa", "wheel"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that is here."""
    return _engine(request.param)


@pytest.fixture
def both() -> tuple[Engine, Engine]:
    return _engine("opa"), _engine("wheel")


@pytest.fixture
def place() -> Place:
    try:
        return find_place()
    except ItbenchError as error:
        pytest.skip(str(error))


@pytest.fixture
def tried(place: Place) -> Trial:
    """Judges an answer with any engine that is here."""

    def trial(fetch: str = FETCH, policy: str = REGO, sets: Sequence[Variant] = SETS, **more: str) -> Judged:
        files: Mapping[str, str] = {"fetch.sh": fetch, "policy.rego": policy, **more}
        return asyncio.run(judge(files, sets, _engine("auto"), place, StaticFetch(place)))

    return trial


_WHEEL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import opa_bindings
for line in sys.stdin:
    policy, inputs = json.loads(line)
    engine, said = opa_bindings.OpaEngine(), []
    engine.print_handler = lambda *_: None
    engine.add_policy("policy.rego", policy)
    for data in inputs:
        try:
            said.append(engine.eval_document("check.result", data))
        except opa_bindings.OpaUndefinedError:
            said.append(None)
    print(json.dumps(said), flush=True)
"""


@dataclass(frozen=True)
class OwnPolicies:
    """Both engines without a sandbox, for policies and data of our own: a start of the package serves all tests.

    What an agent wrote goes through `itbench.compliance.policy`, which has tests of its own.
    """

    program: Path
    wheel: subprocess.Popen[str]

    def by_wheel(self, policy: str, inputs: Sequence[bytes]) -> list[object]:
        """data.check.result on each input; None where it is undefined."""
        assert self.wheel.stdin is not None
        assert self.wheel.stdout is not None
        self.wheel.stdin.write(json.dumps([policy, [json.loads(data) for data in inputs]]) + "\n")
        self.wheel.stdin.flush()
        said: list[object] = json.loads(self.wheel.stdout.readline())
        return said

    def by_program(self, policy: str, inputs: Sequence[bytes], folder: Path) -> list[object]:
        """The same by the opa program; `folder` is for its files."""
        folder.mkdir()
        (folder / "policy.rego").write_text(policy)
        paths = [folder / f"input-{index}.json" for index in range(len(inputs))]
        for path, data in zip(paths, inputs, strict=True):
            path.write_bytes(data)
        command = [self.program, "exec", "--bundle", folder, "--decision", "check/result", *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [one.get("result") for one in json.loads(done.stdout)["result"]]


@pytest.fixture(scope="session")
def own_policies() -> Iterator[OwnPolicies]:
    program, wheel = _engine("opa"), _engine("wheel")
    command = [sys.executable, "-I", "-S", "-c", _WHEEL, str(wheel.where)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield OwnPolicies(program.where, child)
