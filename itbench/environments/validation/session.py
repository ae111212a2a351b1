"""Scenario after scenario on the twin and elsewhere; one that cannot be played is told, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from itbench.environments.validation.hybrid import on_hybrid
from itbench.environments.validation.observed import Observed, is_observed, read_observed, write_observed
from itbench.environments.validation.selection import Chosen
from itbench.environments.validation.simulated import simulated, simulated_like, undisturbed
from itbench.model.errors import ItbenchError, UsageError
from itbench.twin.compare.agreement import compare
from itbench.twin.compare.validation import ComparedFault, Validation, validation
from itbench.twin.telemetry.alerts import INTERVAL

if TYPE_CHECKING:
    from itbench.environments.validation.kind import KindPlayer

Elsewhere = Literal["hybrid", "kind"]
Tell = Callable[[ComparedFault], None]


@dataclass(frozen=True, slots=True)
class ValidationRequest:
    """What is wanted.

    Attributes:
        environment: that the twin is held against.
        seed: of everything random; None for each scenario's own.
        out: where records go; None keeps none.
        resume: take what the other environment did from `out`, where it is there. The twin is always played anew.
        window: seconds that a real cluster is watched after the last step.
        node_image: of a kind cluster.
    """

    environment: Elsewhere
    seed: int | None = None
    out: Path | None = None
    resume: bool = False
    window: float = 45.0
    node_image: str | None = None


def validate(request: ValidationRequest, chosen: Sequence[Chosen], tell: Tell) -> Validation:
    """Play scenarios on the twin and elsewhere, and compare.

    Args:
        request: how.
        chosen: the scenarios.
        tell: is told of each as soon as it is done.

    Raises:
        UsageError: the records cannot be written, or are not what they should be.
        ClusterError: a cluster cannot be had at all.
    """
    found: list[ComparedFault] = []
    with _cluster(request, recorded=all(_is_recorded(request, each) for each in chosen)) as kind:
        for each in chosen:
            found.append(_compared(request, each, kind))
            tell(found[-1])
    summed = validation(request.environment, found)
    if request.out is not None:
        _write(request.out / "validation.json", summed)
    return summed


def _cluster(request: ValidationRequest, *, recorded: bool) -> AbstractContextManager[KindPlayer | None]:
    if request.environment != "kind":
        return nullcontext()
    from itbench.environments.kind.settings import load_kind_settings
    from itbench.environments.kind.system import require_kind
    from itbench.environments.validation.kind import kind_player

    if not recorded:
        require_kind()
    return kind_player(load_kind_settings(), request.window, request.node_image)


def _folder(request: ValidationRequest, chosen: Chosen) -> Path | None:
    return None if request.out is None else request.out / chosen.id


def _is_recorded(request: ValidationRequest, chosen: Chosen) -> bool:
    folder = _folder(request, chosen)
    return request.resume and folder is not None and is_observed(folder, request.environment)


def _compared(request: ValidationRequest, chosen: Chosen, kind: KindPlayer | None) -> ComparedFault:
    folder = _folder(request, chosen)
    try:
        ours, theirs = _played(request, chosen, folder, kind)
    except UsageError:
        raise
    except ItbenchError as error:
        return ComparedFault(
            scenario=chosen.id, faults=chosen.faults, outcome="environment_error", cause=error.message[:500]
        )
    if folder is not None:
        write_observed(ours, folder, "twin")
    tolerance = 0.0 if kind is None else INTERVAL  # behind the API server is the very same monitoring
    return ComparedFault(
        scenario=chosen.id,
        faults=chosen.faults,
        outcome="compared",
        seconds=round(theirs.seconds, 1),
        aspects=compare(ours.told(), theirs.told(), tolerance),
    )


def _played(
    request: ValidationRequest, chosen: Chosen, folder: Path | None, kind: KindPlayer | None
) -> tuple[Observed, Observed]:
    planned = undisturbed(chosen.plan)
    seed = planned.scenario.seed if request.seed is None else request.seed
    known = read_observed(folder, request.environment) if folder is not None and request.resume else None
    if known is not None:
        theirs = known
    else:
        theirs = on_hybrid(planned, seed) if kind is None else kind.play(planned, seed)
        if folder is not None:
            write_observed(theirs, folder, request.environment)
    ours = simulated(planned, seed, theirs.epoch) if kind is None else simulated_like(planned, seed, theirs, kind.patience)
    return ours, theirs


def _write(path: Path, summed: Validation) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(summed.model_dump_json(indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", path=path) from error
