"""What the tests of compliance share: engines, a place to run scripts, and an answer with its two sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

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
