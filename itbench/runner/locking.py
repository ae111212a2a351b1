"""Compute the lock of a run: hash every input once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from itbench import __version__
from itbench.datasets.discover import ScenarioFolder, agent_visible_files
from itbench.model.errors import DatasetError
from itbench.model.lock import Hashes, Lock
from itbench.model.rules import Rules
from itbench.model.trial import RunConfig
from itbench.runner.store import RunStore, config_bytes


def compute_lock(
    config: RunConfig, rules: Rules, scenarios: Iterable[ScenarioFolder], agent_files: Mapping[str, Iterable[Path]]
) -> Lock:
    """Hash the configuration, the rules, each scenario's truth and visible files, and the agents' own files.

    Raises:
        DatasetError: a file cannot be read.
    """
    return Lock(
        itbench_version=__version__,
        config=hashlib.sha256(config_bytes(config)).hexdigest(),
        rules=hashlib.sha256(rules.model_dump_json().encode()).hexdigest(),
        scenarios={scenario.id: _scenario_hashes(scenario) for scenario in scenarios},
        agents={label: {str(path): _file_hash(path) for path in sorted(files)} for label, files in agent_files.items()},
    )


def different_questions(first: RunStore, second: RunStore) -> Iterator[str]:
    """Why figures of two runs may differ besides their agents: other policies, rules, limits or files; a line each."""
    a, b = first.config, second.config
    for what, before, after in (
        ("matching policy", a.policy, b.policy),
        ("namespace filter", a.namespace_filter, b.namespace_filter),
        ("judge", _told(a), _told(b)),
        ("budget", a.budget.model_dump_json(), b.budget.model_dump_json()),
        ("scoring rules", first.lock.rules[:12], second.lock.rules[:12]),
        ("itbench version", first.lock.itbench_version, second.lock.itbench_version),
    ):
        if before != after:
            yield f"the {what} differs: {before} before, {after} after"
    shared = first.lock.scenarios.keys() & second.lock.scenarios.keys()
    changed = sorted(name for name in shared if first.lock.scenarios[name] != second.lock.scenarios[name])
    if changed:
        yield f"{len(changed)} scenarios of the same name hold other files: {', '.join(changed[:8])}"


def _told(config: RunConfig) -> str:
    return f"{config.judge.model} ({config.judge.votes} votes)" if config.judge else "none"


def _scenario_hashes(scenario: ScenarioFolder) -> Hashes:
    hashes = {str(target): _file_hash(source) for target, source in agent_visible_files(scenario)}
    hashes["ground truth"] = scenario.truth().sha256
    return hashes


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"cannot read this file ({error.strerror})", path=path) from error
