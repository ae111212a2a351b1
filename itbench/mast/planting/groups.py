"""Sessions of several agents that share an investigation."""

from __future__ import annotations

from itbench.mast.planting import wording as say
from itbench.mast.planting.script import Script

_TEAMS = (("Planner", "Worker", "Critic"), ("Lead", "Analyst", "Reviewer"), ("coordinator", "log_reader", "auditor"))


def _team(script: Script) -> tuple[str, str, str]:
    return _TEAMS[int(script.voice.rng.integers(len(_TEAMS)))]


def _opening(script: Script, team: tuple[str, str, str], extra: str = "") -> None:
    task = script.voice(say.TASK, folder=script.folder)
    script.user(f"{task} The team: {', '.join(team)}. {extra}".strip())
    _begin(script, team)


def _begin(script: Script, team: tuple[str, str, str]) -> None:
    lead, worker, _ = team
    script.agent(f"Welcome. We start with the alerts, and {worker} goes through the data.", speaker=lead)
    script.agent(script.voice(say.LOOK, kind="alerts", target="the whole application"), speaker=worker)
    script.call("alert_summary", {"base_dir": script.folder}, ", ".join(script.services[:3]))


def _work(script: Script, team: tuple[str, str, str], rounds: int) -> None:
    lead, worker, critic = team
    for _ in range(rounds):
        script.explore(1, speaker=worker)
        if script.voice.chance(0.5):
            script.agent(script.remark(script.services[1]), speaker=script.voice.one(lead, critic))


def _ending(script: Script, team: tuple[str, str, str]) -> None:
    _, worker, _ = team
    script.write(speaker=worker)
    script.verify(speaker=worker)
    script.close(speaker=team[0])


def _rounds(script: Script) -> int:
    return int(script.voice.rng.integers(2, 5))


def oversteps(script: Script) -> list[int]:
    """1.2: whoever may not change or run anything does."""
    team = _team(script)
    lead, worker, critic = team
    how = script.voice.one("changes", "calls", "left")
    pool = {"changes": say.NO_CHANGES, "calls": say.NO_CALLS, "left": say.LEFT_TO}[how]
    _opening(script, team, script.voice(pool, name=critic, other=worker))
    _work(script, team, _rounds(script))
    steps = [script.agent("I take care of it myself.", speaker=script.voice.one(lead, critic) if how == "left" else critic)]
    if how == "calls" and script.voice.chance(0.5):
        script.query(*script.fresh())
    else:
        script.shell(f"kubectl scale deployment/{script.root} --replicas=3", "scaled")
    _ending(script, team)
    return steps


def keeps_role(script: Script) -> None:
    """Not 1.2: the same roles; who may change things does, or looks without changing, or was given leave."""
    team = _team(script)
    lead, worker, critic = team
    how = script.voice.one("changes", "calls", "left", "leave")
    pool = {"changes": say.NO_CHANGES, "calls": say.NO_CALLS, "left": say.LEFT_TO, "leave": say.WITH_LEAVE}[how]
    name, other = (worker, lead) if how == "leave" else (critic, worker)
    _opening(script, team, script.voice(pool, name=name, other=other))
    _work(script, team, _rounds(script))
    if how == "leave":
        script.agent("Approved, go ahead.", speaker=lead)
    if how in ("changes", "left"):
        script.agent("I have a look as well.", speaker=critic)
        script.query(*script.fresh())
    script.agent("I restart it, as agreed.", speaker=worker)
    script.shell(f"kubectl scale deployment/{script.root} --replicas=3", "scaled")
    script.agent("That looks right to me.", speaker=critic)
    _ending(script, team)


def starts_over(script: Script) -> list[int]:
    """2.1: the task is posted again half-way, and all begin anew."""
    team = _team(script)
    _opening(script, team)
    _work(script, team, _rounds(script))
    steps = [script.user(script.builder.steps[0].said[0])]
    _begin(script, team)
    steps += [script.number - 1, script.number]
    _work(script, team, _rounds(script))
    _ending(script, team)
    return steps


def second_task(script: Script) -> None:
    """Not 2.1: the user adds something, and the work goes on."""
    team = _team(script)
    _opening(script, team)
    _work(script, team, _rounds(script))
    script.user(f"In addition: say in the answer since when {script.root} is affected.")
    script.agent("Understood, that goes into the answer.", speaker=team[0])
    _work(script, team, _rounds(script))
    _ending(script, team)


def withholds(script: Script) -> list[int]:
    """2.4: a finding stays in private reasoning, and the others go on without it."""
    team = _team(script)
    _opening(script, team)
    _work(script, team, _rounds(script))
    fact = _fact(script)
    number = script.agent(script.voice(say.VAGUE), speaker=team[1], thought=script.voice(say.PRIVATE, fact=fact))
    script.agent("Then we do not know more than before.", speaker=team[0])
    _work(script, team, _rounds(script))
    _ending(script, team)
    return [number]


def tells_later(script: Script) -> None:
    """Not 2.4: a finding is thought first and told soon, or sent by a tool; or there is none: a thought that dismisses."""
    team = _team(script)
    _opening(script, team)
    _work(script, team, _rounds(script))
    fact, how = _fact(script), script.voice.one("told", "sent", "dismissed", "planned")
    pool = {"dismissed": say.DISMISSES, "planned": say.PLANS}.get(how, say.PRIVATE)
    script.agent(script.voice(say.VAGUE), speaker=team[1], thought=script.voice(pool, fact=fact))
    if how == "sent":
        script.call("send_message", {"to": team[0], "text": fact}, "sent")
    if how == "planned":
        script.shell(f"grep {fact} {script.folder}/otel_logs_raw.tsv", "nothing")
    script.agent("Anything else?", speaker=team[0])
    if how == "told":
        script.agent(script.voice(say.TELLS, fact=fact), speaker=team[1])
    _work(script, team, _rounds(script))
    _ending(script, team)


def ignores(script: Script) -> list[int]:
    """2.5: a request by name is passed over."""
    team = _team(script)
    _opening(script, team)
    _work(script, team, _rounds(script))
    kind, target = script.fresh()
    steps = [script.agent(script.voice(say.ASK_PEER, name=team[1], kind=kind, target=target), speaker=team[2])]
    for _ in range(3):
        other, elsewhere = script.fresh()
        while other == kind or elsewhere == target:
            other, elsewhere = script.fresh()
        steps.append(script.agent(script.voice(say.LOOK, kind=other, target=elsewhere), speaker=team[1]))
        script.query(other, elsewhere)
    _ending(script, team)
    return steps


def declines(script: Script) -> None:
    """Not 2.5: the request is followed, at once or a turn later, or declined in words, going on or not; or it was thanks."""
    team = _team(script)
    _opening(script, team)
    _work(script, team, _rounds(script))
    kind, target = script.fresh()
    how = script.voice.one("followed", "later", "declined", "goes on", "thanked")
    script.agent(
        script.voice(say.THANKS if how == "thanked" else say.ASK_PEER, name=team[1], kind=kind, target=target),
        speaker=team[2],
    )
    if how in ("later", "goes on"):
        other, elsewhere = script.fresh()
        look = script.voice(say.LOOK, kind=other, target=elsewhere)
        script.agent(f"{script.voice(say.DECLINE)} {look}" if how == "goes on" else look, speaker=team[1])
        script.query(other, elsewhere)
    if how in ("followed", "later"):
        script.agent(script.voice(say.LOOK, kind=kind, target=target), speaker=team[1])
        script.query(kind, target)
    if how == "declined":
        script.agent(script.voice(say.DECLINE), speaker=team[1])
    _work(script, team, _rounds(script))
    _ending(script, team)


def _fact(script: Script) -> str:
    number = int(script.voice.rng.integers(100, 999))
    return script.voice.one(f"{script.root}-{number}d9f", f"MEMORY_LIMIT={number}Mi", f"/bin/server{number}")
