"""Begin a run or take one up again: everything that is decided before the first trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from itbench.agents.protocol import Agent, AnyAgent
from itbench.agents.registry import configure, make_agent, own_files
from itbench.agents.taping import on_tape, prepare, recordings
from itbench.bundled import bundled
from itbench.datasets.catalogue import bundled_scenarios
from itbench.datasets.discover import Dataset, ScenarioFolder, agent_visible_files, load_suite, open_dataset
from itbench.datasets.findings import Finding
from itbench.datasets.rules import load_rules
from itbench.model.errors import DatasetError, RunError, UsageError
from itbench.model.guess import guess
from itbench.model.rules import Rules
from itbench.model.task import Budget
from itbench.model.trial import AgentConfig, EnvironmentName, IsolationChoice, JudgeConfig, RunConfig, TaskName
from itbench.model.truth import GroundTruth
from itbench.runner.evaluate import SCORED_DOMAINS, Evaluator
from itbench.runner.hiding import hidden_paths, refuse_hidden_files, remember
from itbench.runner.live import LiveTrials, kind_systems, require_live
from itbench.runner.locking import compute_lock
from itbench.runner.simulated import Announce, realise, seed_of
from itbench.runner.store import RunStore, folder_name
from itbench.runner.trial import PlannedTrial
from itbench.sandbox.environment import agent_environment

if TYPE_CHECKING:
    from itbench.environments.kind.system import KindSystems


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a user asks for. `scenarios` selects from the dataset or suite; empty means all."""

    agents: Sequence[str]
    out: Path
    dataset: Path | None = None
    suite: str | None = None
    scenarios: Sequence[str] = ()
    environment: EnvironmentName = "snapshot"
    task: TaskName = "repair"
    trials: int = 1
    parallel: int = 1
    seed: int = 0
    budget: Budget = field(default_factory=Budget)
    policy: str = "reference"
    namespace_filter: bool = False
    network: bool = True
    isolation: IsolationChoice = "auto"
    expose: Sequence[Path] = ()
    agent_env: Sequence[str] = ()
    unprotected: bool = False
    node_image: str | None = None
    record: Path | None = None
    replay: Path | None = None
    judge: JudgeConfig | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A run that is ready to go on."""

    store: RunStore
    rules: Rules
    scenarios: tuple[ScenarioFolder, ...]
    truths: Mapping[str, GroundTruth]
    agents: Mapping[str, AnyAgent]
    live: LiveTrials | None = None

    @property
    def sandboxed(self) -> bool:
        """Whether any agent runs programs in the sandbox."""
        return any(isinstance(agent, Agent) and agent.sandboxed for agent in self.agents.values())

    @property
    def in_process(self) -> bool:
        """Whether any agent gets a workspace in this process, unprotected."""
        return any(isinstance(agent, Agent) and not agent.sandboxed for agent in self.agents.values())

    def planned(self) -> Iterator[PlannedTrial]:
        """Every trial of the run: scenario by scenario, so that staged files are shared and soon released."""
        config = self.store.config
        for scenario in self.scenarios:
            for number in range(1, config.trials + 1):
                for agent in config.agents:
                    yield PlannedTrial(agent, scenario, self.truths[scenario.id], number)

    def pending(self, *, retry_failures: bool = False) -> list[PlannedTrial]:
        """The trials that still need an attempt.

        An unscored trial counts as done if its cause is the agent's own failure (rules: `zero`), unless
        `retry_failures`: else an agent could be run again until it is lucky.
        """
        return [planned for planned in self.planned() if self._is_open(planned, retry_failures)]

    def _is_open(self, planned: PlannedTrial, retry_failures: bool) -> bool:
        record = self.store.record(planned.agent.label, planned.scenario.id, planned.number)
        if record is None:  # or damaged: the attempt that takes its place moves it aside
            return True
        cause = record.outcome.cause
        return cause is not None and (retry_failures or self.rules.outcomes[cause] == "excluded")


def begin(request: RunRequest, agents: Mapping[str, AnyAgent] | None = None, announce: Announce = lambda _: None) -> Session:
    """Check a request, make the run folder, and write its configuration and lock.

    Args:
        request: what to run.
        agents: further agents as objects, by label; they run in this process and cannot be resumed by the command line.
        announce: is told what takes time.

    Raises:
        UsageError: the request contradicts itself or names what does not exist.
        DatasetError: the dataset cannot be used.
        RunError: the run folder is taken.
    """
    rules = load_rules()
    configured = configure(request.agents, Path.cwd())
    made = {config.label: make_agent(config.spec) for config in configured} | dict(agents or {})
    made = on_tape(made, record=request.record, replay=request.replay)
    configured += tuple(AgentConfig(spec="object", label=label) for label in agents or {})
    if not configured:
        raise UsageError("name at least one agent", hint="For example: --agent oracle. See: itbench agent list")
    dataset = request.dataset.resolve() if request.dataset else None
    chosen, notices = _select(_scenarios(dataset, request.suite, request.scenarios), request.scenarios)
    if request.environment != "snapshot":
        chosen, notices = _living(chosen, notices)
    if request.environment == "kind":
        chosen, notices = _on_kind(chosen, notices)
    _refuse_colliding_names(chosen, configured)
    if request.judge is not None and not any(scenario.domain == "sre" for scenario in chosen):
        raise UsageError("a judge reads reasons, and only SRE answers hold any", key="--judge", hint="Leave it out")
    require_live(request.environment, network=request.network)  # last: what is wrong with the request is told first
    systems = kind_systems(request.node_image) if request.environment == "kind" else None
    if systems is not None:
        systems.start()  # while the ground truths are simulated
    scenarios = realise(chosen, request.seed, announce)
    config = RunConfig(
        dataset=str(dataset) if dataset else None,
        suite=request.suite,
        scenarios=tuple(scenario.id for scenario in scenarios),
        agents=configured,
        environment=request.environment,
        task=request.task,
        trials=request.trials,
        parallel=request.parallel,
        seed=request.seed,
        budget=request.budget,
        policy=request.policy,
        namespace_filter=request.namespace_filter,
        network=request.network,
        isolation=request.isolation,
        expose=tuple(str(path.absolute()) for path in request.expose),
        unprotected=request.unprotected,
        node_image=request.node_image,
        notices=(*notices, *_empty_handed(scenarios, made)),
        agent_env=tuple(request.agent_env),
        record=str(request.record.absolute()) if request.record else None,
        replay=str(request.replay.absolute()) if request.replay else None,
        judge=request.judge,
    )
    # Whatever can be refused is refused before anything is written.
    Evaluator.of_run(config, rules)
    agent_environment(PurePosixPath("/"), passed=config.agent_env)
    refuse_hidden_files(made, hidden_paths(request.out, dataset, scenarios), request.expose)
    prepare(made)
    truths = _truths(scenarios)
    lock = compute_lock(config, rules, scenarios, _own_files(config))
    store = RunStore.create(request.out, config, lock)
    for folder in filter(None, (store.root, request.record)):
        remember(folder)
    return Session(store, rules, scenarios, truths, made, _live(config, chosen, systems))


def reopen(run_dir: Path, agents: Mapping[str, AnyAgent] | None = None, announce: Announce = lambda _: None) -> Session:
    """Take up a run again, if nothing that it depends on has changed.

    Raises:
        RunError: it is not a run, it is damaged, or something changed; the message says what.
    """
    store = RunStore.open(run_dir)
    config, rules = store.config, load_rules()
    given = dict(agents or {})
    for agent in config.agents:
        if agent.spec == "object" and agent.label not in given:
            raise RunError(
                f"the agent {agent.label!r} was a Python object", path=run_dir, hint="Resume from the same program"
            )
    dataset = _scenarios(Path(config.dataset) if config.dataset else None, config.suite, config.scenarios)
    available = {item.id: item for item in dataset.scenarios}
    missing = [item for item in config.scenarios if item not in available]
    if missing:
        raise RunError(f"the dataset no longer has the scenario {missing[0]!r}", path=config.dataset or config.suite)
    chosen = [available[item] for item in config.scenarios]
    scenarios = realise(chosen, config.seed, announce)
    lock = compute_lock(config, rules, scenarios, _own_files(config))
    if differences := store.lock.differences(lock):
        shown = "\n  ".join(differences[:20])
        raise RunError(
            f"the run cannot go on, because what it depends on has changed:\n  {shown}\n",
            path=run_dir,
            hint="Restore it, or start a new run",
        )
    made = given | {agent.label: make_agent(agent.spec) for agent in config.agents if agent.label not in given}
    made = on_tape(made, *(Path(folder) if folder else None for folder in (config.record, config.replay)))
    return Session(store, rules, scenarios, _truths(scenarios), made, _live(config, chosen))


def _own_files(config: RunConfig) -> dict[str, tuple[Path, ...]]:
    """By label: the files that an agent's spec names, and the recordings that a replay answers from."""
    replay = Path(config.replay) if config.replay else None
    return {
        agent.label: (*own_files(agent.spec), *(recordings(replay, agent.label) if replay else ()))
        for agent in config.agents
    }


def _scenarios(dataset: Path | None, suite: str | None, named: Sequence[str]) -> Dataset:
    """Where the scenarios come from; those that are merely named are among those that ship."""
    if dataset is not None and suite is not None:
        raise UsageError("say what to run: either --suite NAME or --dataset PATH, not both")
    if dataset is None and suite is None:
        if not named:
            raise UsageError("say what to run: --suite NAME, --dataset PATH, or --scenario ID of one that ships")
        return Dataset(bundled("scenarios"), "folder", bundled_scenarios(), ())
    if suite is not None:
        return Dataset(bundled("scenarios"), "folder", load_suite(suite), ())
    assert dataset is not None
    return open_dataset(dataset)


def _select(dataset: Dataset, wanted: Sequence[str]) -> tuple[tuple[ScenarioFolder, ...], list[str]]:
    """The chosen scenarios that can be scored, and what to tell about the others."""
    by_id = {scenario.id: scenario for scenario in dataset.scenarios}
    if unknown := [name for name in wanted if name not in by_id]:
        some = ", ".join(list(by_id)[:12]) + (" …" if len(by_id) > 12 else "")
        raise UsageError(
            f"there is no scenario {unknown[0]!r}", key="--scenario", hint=f"{guess(unknown[0], by_id)}There are: {some}"
        )
    chosen = [by_id[name] for name in dict.fromkeys(wanted)] if wanted else list(dataset.scenarios)
    concerned = [finding for finding in dataset.errors if not wanted or _about(finding, chosen)]
    if concerned:
        lines = "\n  ".join(str(finding) for finding in concerned[:20])
        hint = f"See: itbench dataset validate {dataset.path}"
        raise DatasetError(f"the dataset has errors:\n  {lines}\n", path=dataset.path, hint=hint)
    unusable = [scenario for scenario in chosen if scenario.domain not in SCORED_DOMAINS]
    if wanted and unusable:
        raise UsageError(f"{unusable[0].id} is a {unusable[0].domain} scenario, which itbench cannot score yet")
    usable = tuple(scenario for scenario in chosen if scenario.domain in SCORED_DOMAINS)
    if not usable:
        raise UsageError("none of these scenarios can be scored", hint=f"Scored domains: {', '.join(SCORED_DOMAINS)}")
    told = f"{len(unusable)} {unusable[0].domain} scenarios are left out: itbench cannot score them yet" if unusable else ""
    return usable, [told] if told else []


def _living(scenarios: Sequence[ScenarioFolder], notices: Sequence[str]) -> tuple[tuple[ScenarioFolder, ...], list[str]]:
    """Those that can be played in a live environment, and what to tell about the others."""
    played = tuple(scenario for scenario in scenarios if scenario.definition is not None and scenario.domain == "sre")
    left = [scenario.id for scenario in scenarios if scenario not in played]
    if not played:
        raise UsageError(
            "none of these scenarios can be played live: they are recordings",
            hint="Choose SRE scenarios that say what to simulate (itbench scenario list), or --env snapshot",
        )
    told = [f"left out, because they are recordings and cannot be played live: {', '.join(left[:8])}"] if left else []
    return played, [*notices, *told]


def _on_kind(scenarios: Sequence[ScenarioFolder], notices: Sequence[str]) -> tuple[tuple[ScenarioFolder, ...], list[str]]:
    """Those whose faults a kind cluster can have, and what to tell about the others."""
    from itbench.datasets.scenario_file import read_scenario
    from itbench.environments.kind.settings import load_kind_settings

    absent = load_kind_settings().absent
    lacking: dict[str, str] = {}
    for scenario in scenarios:
        assert scenario.definition is not None
        disruptions = read_scenario(scenario.definition).scenario.disruptions
        found = [absent[fault.id] for each in disruptions for fault in each.faults if fault.id in absent]
        if found:
            lacking[scenario.id] = found[0]
    played = tuple(scenario for scenario in scenarios if scenario.id not in lacking)
    told = [f"left out, because clusters of kind do not have {what}: {name}" for name, what in lacking.items()]
    if not played:
        raise UsageError(f"none of these scenarios can be played on kind: {told[0]}", hint="See docs/kind.md")
    return played, [*notices, *told]


def _live(config: RunConfig, scenarios: Sequence[ScenarioFolder], systems: KindSystems | None = None) -> LiveTrials | None:
    """What opens the incidents of a live run; None for recordings.

    Args:
        config: of the run.
        scenarios: before they were simulated.
        systems: have the cluster of kind, or will have; None makes one when it is needed.
    """
    if config.environment == "snapshot":
        return None
    from itbench.datasets.scenario_file import read_scenario

    definitions = {scenario.id: scenario.definition for scenario in scenarios if scenario.definition is not None}
    seeds = {name: seed_of(read_scenario(path).scenario.seed, config.seed, name) for name, path in definitions.items()}
    return LiveTrials(config, definitions, seeds, systems)


def _about(finding: Finding, scenarios: Sequence[ScenarioFolder]) -> bool:
    return any(Path(finding.path).is_relative_to(scenario.place) for scenario in scenarios)


def _empty_handed(scenarios: Sequence[ScenarioFolder], agents: Mapping[str, AnyAgent]) -> Iterator[str]:
    bare = [scenario.id for scenario in scenarios if not agent_visible_files(scenario)]
    investigating = [label for label, agent in agents.items() if isinstance(agent, Agent) and agent.sandboxed]
    if bare and investigating:
        yield f"{len(bare)} scenarios are only ground truths: {', '.join(investigating)} found nothing to look at there"


def _truths(scenarios: Sequence[ScenarioFolder]) -> dict[str, GroundTruth]:
    return {scenario.id: scenario.truth().truth for scenario in scenarios}


def _refuse_colliding_names(scenarios: Sequence[ScenarioFolder], agents: Sequence[AgentConfig]) -> None:
    for names in ([scenario.id for scenario in scenarios], [agent.label for agent in agents]):
        folders: dict[str, str] = {}
        for name in names:
            other = folders.setdefault(folder_name(name), name)
            if other != name:
                raise UsageError(f"{name!r} and {other!r} would share a folder", hint="Run them separately")
