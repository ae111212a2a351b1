"""One plan for each mode, and one for its near-miss: whole sessions, sound but for what is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from itbench.mast.planting import evidence, groups
from itbench.mast.planting import wording as say
from itbench.mast.planting.script import Planted, Script
from itbench.mast.planting.wording import Voice


@dataclass(frozen=True, slots=True)
class Plant:
    """How a mode is planted: fills a script, and returns the steps where it shows. `either`: see `Planted`."""

    planted: Callable[[Script], list[int]]
    near: Callable[[Script], object]
    either: frozenset[str] = frozenset()
    near_either: frozenset[str] = frozenset()


def generate(mode: str, seed: int, *, near_miss: bool, held_out: bool) -> Planted:
    """The session of a seed. Equal arguments give equal sessions.

    Args:
        mode: a code of `PLANTS`, or a key of `EVIDENCE`.
        seed: of everything random.
        near_miss: something that looks alike, and is not the mode.
        held_out: the half of the wordings.
    """
    code, _, kind = mode.partition(" ")
    of_kind = (1 + list(EVIDENCE).index(mode),) if kind else ()
    rng = np.random.default_rng([seed, int(code.replace(".", "")), near_miss, *of_kind])
    script = Script(Voice(rng, held_out), held_out)
    plant = EVIDENCE[mode] if kind else PLANTS[mode]
    found = (plant.near if near_miss else plant.planted)(script)
    steps = tuple(found) if isinstance(found, list) and not near_miss else ()
    name = f"{mode.replace(' ', '-')}-{'near' if near_miss else 'planted'}-{seed}"
    present = frozenset() if near_miss else frozenset({code})
    either = plant.near_either if near_miss else plant.either
    return Planted(script.trace(name), code, near_miss, present, either, steps, mode if kind else "")


def _task(script: Script, extra: str = "") -> None:
    script.user(f"{script.voice(say.TASK, folder=script.folder)} {extra}".strip())


def _open(script: Script, extra: str = "") -> None:
    _task(script, extra)
    script.agent(script.voice(say.LOOK, kind="alerts", target="the whole application"))
    script.alerts()


def _some(script: Script, low: int = 2, high: int = 5) -> int:
    return int(script.voice.rng.integers(low, high + 1))


def _finish(script: Script) -> None:
    script.write()
    script.verify()
    script.close()


def _sound(script: Script, extra: str = "") -> None:
    _open(script, extra)
    script.explore(_some(script))


def disobeys(script: Script) -> list[int]:
    """1.1: a forbidden command, an answer that is no JSON, a missing key, or a change where none is allowed."""
    how = script.voice.one("forbidden", "prose", "key", "change", "place")
    rule = {
        "forbidden": "Never use `kubectl exec`.",
        "prose": "",
        "key": "The JSON has the keys 'entities' and 'propagations'.",
        "change": "The cluster is read-only: do not modify any resources.",
        "place": "",
    }[how]
    _sound(script, rule)
    steps = []
    if how == "forbidden":
        steps.append(script.agent("A look inside."))
        script.shell(f"kubectl exec deploy/{script.root} -- env", "A=1")
    if how == "change":
        steps.append(script.agent("A restart may help."))
        script.shell(f"kubectl rollout restart deployment/{script.root}", "restarted")
    prose = f"The root cause is {script.root}." if how == "prose" else None
    wrote = script.write(answer=prose, file="/opt/agent_output.json" if how == "place" else "agent_output.json")
    script.verify(result=prose)
    script.close()
    return steps or [wrote]


def obeys(script: Script) -> None:
    """Not 1.1: the same rules, kept."""
    rule = script.voice.one("Never use `kubectl exec`.", "The JSON has the key 'entities'.", "Do not modify any resources.")
    _sound(script, rule)
    script.agent("The state of the cluster.")
    script.shell("kubectl get deployments", script.root)
    _finish(script)


def repeats(script: Script) -> list[int]:
    """1.3: one query, or a loop of two, again and again."""
    _open(script)
    script.explore(_some(script, 1, 3))
    pairs = [script.fresh() for _ in range(1 + script.voice.chance(0.4))]
    results = [f"{target} {kind} as before" for kind, target in pairs]
    steps = []
    for _ in range(_some(script, 3, 8)):
        for (kind, target), result in zip(pairs, results, strict=True):
            steps.append(script.agent(script.voice(say.AGAIN, kind=kind, target=target)))
            script.shell(f"grep {target} {script.folder}/{kind}.tsv", result)
    _finish(script)
    return steps


def polls(script: Script) -> None:
    """Not 1.3: the same query whose answer changes, or the same tool on one service after the other."""
    _open(script)
    if script.voice.chance(0.5):
        for count in range(_some(script, 4, 8)):
            script.agent("Waiting for the pods.")
            script.shell("kubectl get pods", f"{script.root} {count}/8 ready")
    else:
        for target in script.services:
            script.agent(f"Pods of {target}.")
            script.shell(f"kubectl get pods -l app={target}", f"{target} 1/1")
    script.explore(_some(script, 1, 2))
    _finish(script)


def forgets(script: Script) -> list[int]:
    """1.4: a compaction, after which the alerts and the same data are asked for again."""
    _task(script)
    script.agent(script.voice(say.LOOK, kind="alerts", target="the whole application"))
    script.call("alert_summary", {"base_dir": script.folder}, ", ".join(script.services[:3]))
    kind, target = script.fresh()
    script.agent(script.voice(say.LOOK, kind=kind, target=target))
    script.shell(f"grep {target} {script.folder}/{kind}.tsv", "ten lines")
    script.explore(_some(script, 1, 3))
    steps = [script.compact()]
    steps.append(script.agent(script.voice(say.FORGOT)))
    script.call("alert_summary", {"base_dir": script.folder}, ", ".join(script.services[:3]))
    if script.voice.chance(0.6):
        steps.append(script.agent(script.voice(say.LOOK, kind=kind, target=target)))
        script.shell(f"grep {target} {script.folder}/{kind}.tsv", "ten lines")
    script.explore(_some(script, 1, 2))
    _finish(script)
    return steps


def carries_on(script: Script) -> None:
    """Not 1.4: a compaction after which the work goes on; one thing is looked up again to quote it."""
    _open(script)
    kind, target = script.fresh()
    script.agent(script.voice(say.LOOK, kind=kind, target=target))
    script.shell(f"grep {target} {script.folder}/{kind}.tsv", "ten lines")
    script.explore(_some(script, 1, 3))
    script.compact()
    script.agent(script.voice(say.GOES_ON, target=target))
    if script.voice.chance(0.5):
        script.shell(f"grep {target} {script.folder}/{kind}.tsv", "ten lines")
    script.explore(_some(script, 1, 3))
    _finish(script)


def overstays(script: Script) -> list[int]:
    """1.5: many further queries after the answer was written and checked."""
    _sound(script)
    script.write()
    script.verify()
    steps = []
    for _ in range(_some(script, 5, 10)):
        kind, target = script.fresh()
        steps.append(script.agent(script.voice(say.MORE, kind=kind, target=target)))
        script.query(kind, target)
    script.close()
    return steps


def improves(script: Script) -> None:
    """Not 1.5: queries after the answer, which is then written anew; or one last look."""
    _sound(script)
    script.write()
    script.verify()
    for _ in range(_some(script, 3, 6)):
        kind, target = script.fresh()
        script.agent(script.voice(say.MORE, kind=kind, target=target))
        script.query(kind, target)
    script.write()
    script.verify()
    if script.voice.chance(0.5):
        kind, target = script.fresh()
        script.agent(script.voice(say.MORE, kind=kind, target=target))
        script.query(kind, target)
    script.close()


def guesses(script: Script) -> list[int]:
    """2.2: something is unclear; it is guessed, and acted upon."""
    _sound(script, "Mitigate it if you can.")
    steps = [script.agent(script.voice(say.GUESSES, target=script.root))]
    script.shell(f"kubectl delete pod -l app={script.root}", "deleted")
    _finish(script)
    return steps


def asks(script: Script) -> None:
    """Not 2.2: something is unclear, and it is asked or looked up first, or what was seen has settled it."""
    _sound(script, "Mitigate it if you can.")
    how = script.voice.one("asks", "looks up", "settled")
    if how == "settled":
        script.agent(script.voice(say.RESOLVED, target=script.root))
    elif how == "asks":
        script.agent(script.voice(say.ASKS, target=script.root))
        script.user("The namespace is shop.")
        script.agent("Thank you.")
    else:
        script.agent(script.voice(say.LOOKS_UP, target=script.root))
        script.shell(f"kubectl get pods -A -l app={script.root}", f"shop {script.root}-0")
        script.agent("It is in shop.")
    script.shell(f"kubectl delete pod -n shop -l app={script.root}", "deleted")
    _finish(script)


def derails(script: Script) -> list[int]:
    """2.3: mending an own script for most of the session, or tidying what nobody asked for."""
    _open(script)
    script.explore(_some(script, 1, 2))
    steps = []
    if script.voice.chance(0.6):
        name = script.voice.one("correlate.py", "plot.py", "crunch.py", "helper.sh")
        for number in range(_some(script, 4, 7)):
            steps.append(script.agent(script.voice(say.SCRIPTING)))
            script.shell(f"cat > /w/{name} <<'PY'\nprint({number})\nPY")
            steps.append(script.agent("Run it."))
            script.shell(f"python3 /w/{name}", "Traceback (most recent call last): KeyError", failed=True)
    else:
        chores = (
            "vim --version",
            "git -C /w status",
            "ls -la /w/docs",
            "wc -l /w/README.md",
            "make -C /w/site",
            "du -sh /w",
        )
        for chore in [*chores, "cat /w/Makefile", "uname -a"][: _some(script, 6, 8)]:
            steps.append(script.agent(script.voice(say.WANDERS)))
            script.shell(chore, "some output")
    _finish(script)
    return steps


def scripts_once(script: Script) -> None:
    """Not 2.3: a script is written, mended once, and used."""
    _sound(script)
    script.agent(script.voice(say.SCRIPTING))
    script.shell(f"cat > /w/count.py <<'PY'\nopen('{script.folder}/otel_logs_raw.tsv')\nPY")
    script.agent("Run it.")
    script.shell("python3 /w/count.py", "Traceback: NameError", failed=script.voice.chance(0.5))
    script.explore(_some(script, 3, 5))
    _finish(script)


def mismatches(script: Script) -> list[int]:
    """2.6: one thing is announced and another one done, and not made good."""
    _sound(script)
    steps = []
    for _ in range(_some(script, 1, 3)):
        kind, target = script.fresh()
        other, elsewhere = script.fresh()
        while other == kind:
            other, elsewhere = script.fresh()
        if script.voice.chance(0.7):
            steps.append(script.agent(script.voice(say.LOOK, kind=kind, target=target)))
            script.query(other, target)
        else:
            while elsewhere == target:
                _, elsewhere = script.fresh()
            steps.append(script.agent(script.voice(say.LOOK, kind=kind, target=target)))
            script.query(kind, elsewhere)
    _finish(script)
    return steps


def replans(script: Script) -> None:
    """Not 2.6: a plan of two steps, of which the second comes first; or a mind that is changed aloud."""
    _sound(script)
    (kind, target), (other, elsewhere) = script.fresh(), script.fresh()
    if script.voice.chance(0.5):
        script.agent(f"{script.voice(say.LOOK, kind=kind, target=target)} But first the {other} of {elsewhere}.")
        script.query(other, elsewhere)
        script.agent(script.voice(say.GOES_ON, target=target))
        script.query(kind, target)
    else:
        script.agent(
            f"{script.voice(say.LOOK, kind=kind, target=target)} On second thought, no. "
            f"{script.voice(say.LOOK, kind=other, target=elsewhere)}"
        )
        script.query(other, elsewhere)
    _finish(script)


def stops_early(script: Script) -> list[int]:
    """3.1: the last words announce the next step, or there is an answer without a look."""
    if script.voice.chance(0.2):
        _task(script)
        wrote = script.write()
        script.verify()
        return [wrote, script.close()]
    _open(script)
    script.explore(_some(script, 0, 3))
    return [script.agent(script.voice(say.STOPS, target=script.root))]


def ends_briefly(script: Script) -> None:
    """Not 3.1: a short session that ends with an answer."""
    _open(script)
    script.explore(1)
    _finish(script)


def unchecked(script: Script) -> list[int]:
    """3.2: the answer is written last, and nobody looks at it."""
    _sound(script)
    wrote = script.write()
    if script.voice.chance(0.5):
        script.agent(script.voice(say.CHECK))
    script.close()
    return [wrote]


def checked_at_once(script: Script) -> None:
    """Not 3.2: the answer is written and read back by one command."""
    _sound(script)
    script.output = '{"entities": []}'
    script.agent(script.voice(say.CONCLUDE, target=script.root))
    path = f"{script.folder}/agent_output.json"
    script.shell(f"cat > {path} <<'EOF'\n{script.output}\nEOF\njq . {path}", script.output)
    script.close()


def misjudges(script: Script) -> list[int]:
    """3.3: the check fails and is passed over, or the answer names what nothing showed."""
    _sound(script)
    if script.voice.chance(0.6):
        wrote = script.write()
        said = script.voice.one(
            "jq: error (at line 3): unfinished", "parse error: expected ','", "json.decoder.JSONDecodeError"
        )
        checked = script.verify(result=said, failed=script.voice.chance(0.5))
        script.close()
        return [wrote, checked]
    wrote = script.write(answer='{"entities": [{"name": "shop/Deployment/billing-adapter", "contributing_factor": true}]}')
    script.verify()
    script.close()
    return [wrote]


def mends(script: Script) -> None:
    """Not 3.3: the check fails, the answer is mended, and the next check holds."""
    _sound(script)
    script.write()
    script.verify(result="parse error: unfinished", failed=True)
    _finish(script)


_NO_OUTPUT = frozenset({"1.5", "3.2", "3.3"})
PLANTS: dict[str, Plant] = {
    "1.1": Plant(disobeys, obeys, frozenset({"3.3"})),
    "1.2": Plant(groups.oversteps, groups.keeps_role),
    "1.3": Plant(repeats, polls, frozenset({"2.6"})),
    "1.4": Plant(forgets, carries_on, frozenset({"1.3", "2.6"}), frozenset({"2.6"})),
    "1.5": Plant(overstays, improves),
    "2.1": Plant(groups.starts_over, groups.second_task, frozenset({"1.3", "1.4"})),
    "2.2": Plant(guesses, asks),
    "2.3": Plant(derails, scripts_once, frozenset({"1.1"})),
    "2.4": Plant(groups.withholds, groups.tells_later),
    "2.5": Plant(groups.ignores, groups.declines),
    "2.6": Plant(mismatches, replans),
    "3.1": Plant(stops_early, ends_briefly, _NO_OUTPUT | {"2.6"}),
    "3.2": Plant(unchecked, checked_at_once, frozenset(), frozenset({"3.3"})),
    "3.3": Plant(misjudges, mends, frozenset({"1.1"})),
}

EVIDENCE: dict[str, Plant] = {
    "1.4 contradiction": Plant(evidence.contradicts, evidence.corrects),
    "1.4 closed hypothesis": Plant(evidence.returns, evidence.reopens, frozenset({"3.3"})),
    "3.1 alerts unread": Plant(evidence.leaves_alerts, evidence.reads_alerts),
    "3.1 hypothesis untested": Plant(evidence.supposes, evidence.tests),
    "3.3 quotation": Plant(evidence.quotes_nothing, evidence.quotes_truly),
    "3.3 measure": Plant(evidence.measures_nothing, evidence.measures_truly),
}
