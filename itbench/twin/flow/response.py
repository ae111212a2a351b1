"""The backward pass: from what becomes of requests at the callees to what becomes of them at the callers.

All calls are taken at once, with the callees' answers of the previous round; repeated, this reaches the fixed point
after as many rounds as the graph is deep. Array axes: moment (3), tick (t), route (r) / call (c) / …, outcome (o).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from itbench.twin.flow.conditions import CHANCE, SUCCESS, SYN_TIMES, Conditions
from itbench.twin.flow.graph import Graph, Indices
from itbench.twin.flow.moments import Array, cut, later, mean_and_square, measure, then

_TINY = 1e-30


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What becomes of a request to each route.

    Attributes:
        times: (3, t, r, o) time from when a worker takes it to the answer, by outcome.
        slow: (t, r, o) seconds of a successful request that an outcome's cause adds.
        degraded: (t, r, o) share that is answered, but with less, because of an outcome below.
    """

    times: Array
    slow: Array
    degraded: Array


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """What becomes of each attempt of a call.

    Attributes:
        kept: (3, t, c, o) time until the answer or the error.
        late: (t, c, o) share that is given up at the time-out.
        attempts: (t, c) per request to the calling route.
        arriving: (t, c) share of the attempts that reach a worker of the callee.
    """

    kept: Array
    late: Array
    attempts: Array
    arriving: Array


@dataclass(frozen=True, slots=True, eq=False)
class Pressure:
    """What the load makes of the services and of the node's patience.

    Attributes:
        wait: (t, s) mean seconds before a worker takes a request.
        dropped: (t, s) share of arrivals for which there is no room.
        stretch: (t, r) seconds that a request's processor time takes.
        answered: (t, c) share of connections without endpoint that are refused; the rest is ignored.
    """

    wait: Array
    dropped: Array
    stretch: Array
    answered: Array


def idle_answers(graph: Graph, size: int, ticks: int) -> Answers:
    """Where the rounds begin: everything succeeds at once."""
    routes = len(graph.routes)
    times = np.zeros((3, ticks, routes, size))
    times[0, :, :, SUCCESS] = 1.0
    return Answers(times, np.zeros((ticks, routes, size)), np.zeros((ticks, routes, size)))


def respond(graph: Graph, given: Conditions, answers: Answers, pressure: Pressure) -> tuple[Answers, Calls]:
    """One round: the answers of all routes, and their calls, from the answers of the round before."""
    kept, late, arriving, slow = _attempts(graph, given, answers, pressure)
    limit = graph.call_limit[:, None]
    whole = kept + late * np.stack((np.ones_like(limit), limit, limit**2))[:, None]
    final, count = _retried(graph, whole)

    required = graph.call_required[:, None]
    share = given.call_probability
    gone_well = final[..., SUCCESS] + np.where(graph.call_required, 0.0, final[..., 1:].sum(-1))
    failed = final * (share[:, None] * required)
    failed[..., SUCCESS] = 0.0
    ok, failing, reach = _sequence(graph, share, gone_well * share, failed)

    answered = _own_work(graph, given, pressure, ok, failing)
    per_call = share * reach
    attempts = per_call * count * (1 - given.route_failures.sum(-1))[graph.call_from]
    optional = np.where(required, 0.0, final[1])
    optional[..., SUCCESS] = 0.0
    below = answers.degraded[:, graph.call_to]
    lessened = np.where(graph.call_degrades[:, None], final[0], 0.0)
    lessened[..., SUCCESS] = 0.0
    return (
        Answers(
            answered,
            given.route_slow + _summed(graph, per_call[..., None] * (slow + optional)),
            _summed(graph, per_call[..., None] * (lessened + below)),
        ),
        Calls(kept, late, attempts, arriving),
    )


def _attempts(graph: Graph, given: Conditions, answers: Answers, pressure: Pressure) -> tuple[Array, Array, Array, Array]:
    """Outcomes of single attempts: kept, late, the share that arrives, and the slowness of successes by cause."""
    hop = graph.application.network.hop
    callee = graph.route_service[graph.call_to]
    wait = pressure.wait[:, callee]
    mean = hop.mean + given.call_delay + wait
    variance = hop.square - hop.mean**2 + given.call_delay_variance + wait**2
    dropped = pressure.dropped[:, callee]
    arriving = given.call_delivered * (1 - dropped)
    reaching = answers.times[:, :, graph.call_to] * arriving[..., None]
    kept, late = cut(later(reaching, mean[..., None], (variance + mean**2)[..., None]), graph.call_limit[:, None])

    calls = np.arange(len(callee))
    slow = answers.slow[:, graph.call_to] + given.call_slow
    slow[:, calls, given.overload[callee]] += wait
    late[..., 1:] += late[..., SUCCESS, None] * _blame(slow)[..., 1:]
    late[..., SUCCESS] = 0.0
    late += given.call_late
    late[:, calls, given.overload[callee]] += given.call_delivered * dropped
    kept += given.call_failures[:, None]
    _reject(graph, given, pressure, kept, late)
    return kept, late, arriving, slow


def _blame(slow: Array) -> Array:
    """How to divide requests that are late among the causes of their slowness."""
    blame = np.zeros_like(slow)
    blame[..., CHANCE] = 1e-9
    blame += slow
    blame[..., SUCCESS] = 0.0
    return np.asarray(blame / blame.sum(-1, keepdims=True), dtype=np.float64)


def _reject(graph: Graph, given: Conditions, pressure: Pressure, kept: Array, late: Array) -> None:
    """Add the connections for which there is no endpoint: refused at one of the attempts to connect, or ignored."""
    calls = np.flatnonzero(given.rejected)
    if not len(calls):
        return
    share, answered = given.rejected[calls], pressure.answered[:, calls]
    asked = graph.call_limit[calls, None] > SYN_TIMES
    each = (1 - (1 - answered) ** (1 / asked.sum(-1)))[..., None]
    at = np.where(asked, each * (1 - each) ** np.arange(len(SYN_TIMES)), 0.0)
    seconds = SYN_TIMES + given.rejected_round_trip[calls, None]
    kept[:, :, calls, given.rejected_refused[calls]] += share * measure(at, seconds, seconds**2).sum(-1)
    late[:, calls, given.rejected_late[calls]] += share * (1 - answered)


def _retried(graph: Graph, whole: Array) -> tuple[Array, Array]:
    """Outcomes after all attempts (3, t, c, o), and how many attempts are made (t, c)."""
    most = int(graph.call_attempts.max(initial=1))
    count = np.ones(whole.shape[1:3])
    if most == 1:
        return whole, count
    again = later(whole[..., 1:].sum(-1), graph.call_backoff, graph.call_backoff**2)
    chain = np.zeros_like(again)
    chain[0] = 1.0
    success = whole[..., SUCCESS].copy()
    last = chain.copy()
    for turn in range(1, most):
        more = graph.call_attempts > turn
        chain = np.where(more, then(chain, again), 0.0)
        success += then(chain, whole[..., SUCCESS])
        last = np.where(more, chain, last)
        count += chain[0]
    final = then(last[..., None], whole)
    final[..., SUCCESS] = success
    return final, count


def _sequence(graph: Graph, share: Array, gone_well: Array, failed: Array) -> tuple[Array, Array, Array]:
    """Calls in branches, branches in steps, steps in routes.

    Returns:
        What succeeds (3, t, walks) and fails (3, t, walks, o) of the routes that make calls, timed from their first
        call, and the share (t, c) of requests that get as far as each call.
    """
    branch = np.add.reduceat(gone_well, graph.branch_calls, axis=2)
    branch[0] += 1 - np.add.reduceat(share, graph.branch_calls)
    branch_failed = np.add.reduceat(failed, graph.branch_calls, axis=2)

    ok = np.multiply.reduceat(branch[0], graph.step_branches, axis=1)
    mean, square = mean_and_square(branch)
    slowest = np.maximum.reduceat(mean, graph.step_branches, axis=1)
    decides = mean >= slowest[:, graph.branch_step]
    square = np.maximum.reduceat(np.where(decides, square, 0.0), graph.step_branches, axis=1)
    variance = np.maximum(square - slowest**2, 0.0)
    step_failed = np.add.reduceat(branch_failed, graph.step_branches, axis=2)
    # Several branches of a step may fail at once; the request fails only once.
    step_failed *= np.minimum((1 - ok) / np.maximum(step_failed[0].sum(-1), _TINY), 1.0)[..., None]

    first = graph.route_steps[np.searchsorted(graph.walks, graph.step_route)]
    logs = np.log(np.maximum(ok, _TINY))
    reached, so_far, spread = np.exp(_before(logs, first)), _before(slowest, first), _before(variance, first)
    failing = reached[..., None] * later(step_failed, so_far[..., None], (spread + so_far**2)[..., None])

    total = np.add.reduceat(slowest, graph.route_steps, axis=1)
    scatter = np.add.reduceat(variance, graph.route_steps, axis=1)
    success = np.exp(np.add.reduceat(logs, graph.route_steps, axis=1))
    return (
        measure(success, total, scatter + total**2),
        np.add.reduceat(failing, graph.route_steps, axis=2),
        reached[:, graph.call_step],
    )


def _before(values: Array, first: Indices) -> Array:
    """Sums of the steps before each step of the same route; `first` is the index of the route's first step."""
    running = np.cumsum(values, axis=1) - values
    return np.asarray(running - running[:, first], dtype=np.float64)


def _own_work(graph: Graph, given: Conditions, pressure: Pressure, ok: Array, failing: Array) -> Array:
    """Times of whole requests (3, t, r, o): the route's own work first, then its calls."""
    mean = pressure.stretch + graph.route_mean + given.route_delay
    scale = (graph.route_mean + np.minimum(given.route_delay, 0.0)) / graph.route_mean
    variance = (graph.route_square - graph.route_mean**2) * scale**2 + given.route_delay_variance
    times = idle_answers(graph, given.size, len(mean)).times
    times[:, :, graph.walks] = failing
    times[:, :, graph.walks, SUCCESS] = ok
    own_failures = given.route_failures
    times *= (1 - own_failures.sum(-1))[:, None]
    times[0] += own_failures
    return later(times, mean[..., None], (variance + mean**2)[..., None])


def _summed(graph: Graph, values: Array) -> Array:
    """Values of calls (t, c, o), summed over the calls of each route (t, r, o)."""
    total = np.zeros((len(values), len(graph.routes), values.shape[-1]))
    if len(graph.walks):
        total[:, graph.walks] = np.add.reduceat(values, graph.walk_calls, axis=1)
    return total
