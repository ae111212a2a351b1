"""The scenario files of the public library load as they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from itbench.faults.registry import FAULTS, fault
from itbench.faults.waiters import WAITERS, waiter


@pytest.fixture(scope="session")
def indexes(shared: Path) -> Path:
    """The index files of the public library."""
    path = shared / "data" / "upstream-library" / "indexes"
    if not path.is_dir():
        pytest.skip(f"{path} is not there")
    return path


def read(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("*.json"), key=lambda each: int(each.stem)):
        yield json.loads(path.read_text())


def test_faults_and_waiters_of_all_scenarios_load(indexes: Path) -> None:
    ignored = Counter[tuple[int, str]]()
    loaded = 0
    for scenario in read(indexes / "scenarios"):
        for disruption in scenario["disruptions"]:
            for item in disruption["injections"]:
                found = fault(item["id"], item["args"], unknown="ignore")
                assert found.fixes()
                ignored.update((scenario["id"], key) for key in found.ignored)
                loaded += 1
            for items in disruption.get("waitFor", {}).values():
                for item in items:
                    assert waiter(item["id"], item["args"]).ignored == ()
                    loaded += 1
    assert loaded >= len(list(read(indexes / "scenarios")))
    assert set(ignored) <= {(59, "configMapName"), (60, "configMapName")}


def test_ids_numbers_and_required_arguments_are_theirs(indexes: Path) -> None:
    for index in read(indexes / "faults"):
        ours = FAULTS[index["id"]]
        assert ours.number == index["index"]
        wanted = set(index["arguments"]["jsonSchema"]["required"])
        required = {name for name, field in ours.model.model_fields.items() if field.is_required()}
        assert required == wanted
        assert wanted <= set(ours.model.model_fields)
    assert {each["id"] for each in read(indexes / "waiters")} == set(WAITERS)


def test_alerts_differ_only_where_we_say_so(indexes: Path) -> None:
    differing = {
        index["index"]
        for index in read(indexes / "faults")
        if set(FAULTS[index["id"]].alerts) != {name for names in index.get("alerts", {}).values() for name in names}
    }
    assert differing == {7, 27}
    assert all(kind.departure for kind in FAULTS.values() if kind.number in differing)
