"""Plans for evidence within a mode that hangs on what is said and quoted: contradictions, alerts, hypotheses, quotations."""

from __future__ import annotations

import json

from itbench.mast.planting import evidence_wording as say
from itbench.mast.planting import wording
from itbench.mast.planting.script import Script


def _begin(script: Script, extra: str = "", *, alerts: bool = True) -> None:
    script.user(f"{script.voice(wording.TASK, folder=script.folder)} {extra}".strip())
    if alerts:
        script.agent(script.voice(wording.LOOK, kind="alerts", target="the whole application"))
        script.alerts()


def _look(script: Script, target: str, kind: str = "", result: str | None = None) -> int:
    kind = kind or script.voice.one("events", "logs", "traces", "metrics")
    script.asked.add((kind, target))
    number = script.agent(script.voice(wording.LOOK, kind=kind, target=target))
    script.query(kind, target, result)
    return number


def _explore(script: Script, *without: str) -> None:
    script.explore(int(script.voice.rng.integers(2, 5)), without=frozenset(without))


def _end(script: Script, evidence: str | None = None) -> int:
    answer = None
    if evidence is not None:
        name = f"shop/Deployment/{script.root}"
        answer = json.dumps({"entities": [{"name": name, "contributing_factor": True, "evidence": evidence}]})
    wrote = script.write(answer=answer)
    script.verify()
    script.close()
    return wrote


def _statements(script: Script) -> tuple[str, str]:
    target = script.services[1]
    if script.voice.chance(0.5):
        first, second = int(script.voice.rng.integers(2, 5)), int(script.voice.rng.integers(6, 9))
        one, other = (script.voice(say.REPLICAS, target=target, value=str(each)) for each in (first, second))
        return one, other
    fine, bad = script.voice(say.FINE, target=target), script.voice(say.BAD, target=target)
    return (fine, bad) if script.voice.chance(0.5) else (bad, fine)


def contradicts(script: Script) -> list[int]:
    """1.4: two statements on one service that exclude each other; between them it was not looked at."""
    _begin(script)
    first, second = _statements(script)
    _look(script, script.services[1])
    steps = [script.agent(first)]
    _explore(script, script.services[1])
    steps.append(script.agent(second))
    _end(script)
    return steps


def corrects(script: Script) -> None:
    """Not 1.4: the same statements, the second one after a new look, as a correction, or on another service."""
    _begin(script)
    first, second = _statements(script)
    how = script.voice.one("look", "correction", "other", "scaled")
    _look(script, script.services[1])
    script.agent(first)
    _explore(script, script.services[1])
    if how == "look":
        _look(script, script.services[1])
    if how == "scaled":
        script.agent("I mitigate.")
        script.shell(f"kubectl scale deployment/{script.services[1]} --replicas=7", "scaled")
    if how == "other":
        _look(script, script.services[2])
        second = second.replace(script.services[1], script.services[2])
    script.agent(f"{script.voice(say.CORRECTS) if how == 'correction' else ''}{second}")
    _end(script)


def returns(script: Script) -> list[int]:
    """1.4: what was ruled out is blamed in the end, and nothing was seen of it in between."""
    _begin(script)
    _look(script, script.root)
    closed = script.agent(script.voice(say.CLOSES, target=script.root))
    _explore(script, script.root)
    return [closed, _end(script)]


def reopens(script: Script) -> None:
    """Not 1.4: what was ruled out is taken up because of new evidence, or with a reason; or another one was ruled out."""
    _begin(script)
    how = script.voice.one("evidence", "reason", "other")
    _look(script, script.root)
    script.agent(script.voice(say.CLOSES, target=script.services[1] if how == "other" else script.root))
    _explore(script, script.root)
    if how == "evidence":
        _look(script, script.root)
    if how == "reason":
        script.agent(script.voice(say.REOPENS, target=script.root))
    _end(script)


def leaves_alerts(script: Script) -> list[int]:
    """3.1: the task says where the alerts are, or there is a tool for them; the answer is written without a look at them."""
    if script.voice.chance(0.4):
        script.tools = ("alert_summary", "get_logs")
        _begin(script, alerts=False)
    else:
        _begin(script, script.voice(say.ALERTS_AT, folder=script.folder), alerts=False)
    _look(script, script.root)
    _explore(script)
    return [_end(script)]


def reads_alerts(script: Script) -> None:
    """Not 3.1: alerts are read by another way than the tool, by a sweep over all files, or stand in the task."""
    how = script.voice.one("kubectl", "curl", "file", "sweep", "script", "told", "promql")
    firing = json.dumps([{"alertname": "HighErrorRate", "entity": script.root}])
    extra = script.voice(say.ALERTS_AT, folder=script.folder)
    script.tools = ("alert_summary", "get_logs") if script.voice.chance(0.5) else ()
    _begin(script, f"{extra} Firing: {firing}" if how == "told" else extra, alerts=False)
    command = {
        "kubectl": "kubectl -n monitoring get prometheusrules,alerts -o json",
        "curl": "curl -s http://alertmanager:9093/api/v2/alerts",
        "file": f"cat {script.folder}/alerts/alerts_at_start.json",
        "sweep": f"head -c 2000 {script.folder}/*/*.json",
        "script": "python3 /w/overview.py",
        "promql": "curl -s 'http://prometheus:9090/api/v1/query?query=ALERTS'",
    }.get(how)
    if command is not None:
        script.agent("An overview first.")
        script.shell(command, "HighErrorRate " + script.root if how in ("sweep", "script") else firing)
    _look(script, script.root)
    _explore(script)
    _end(script)


def supposes(script: Script) -> list[int]:
    """3.1: what is blamed was suspected, and nothing was asked about it."""
    _begin(script)
    _explore(script, script.root)
    suspected = script.agent(script.voice(say.SUSPECTS, target=script.root))
    return [suspected, _end(script)]


def tests(script: Script) -> None:
    """Not 3.1: what was suspected is looked at, by its name or in a list of all; or it was before."""
    _begin(script)
    how = script.voice.one("after", "list", "before")
    if how == "before":
        _look(script, script.root)
    _explore(script, script.root)
    script.agent(script.voice(say.SUSPECTS, target=script.root))
    if how == "after":
        _look(script, script.root)
    if how == "list":
        script.agent("What was changed of late?")
        script.shell(f"sort {script.folder}/k8s_objects_raw.tsv | tail -5", f"Deployment {script.root} spec.replicas 0")
    _end(script)


def quotes_nothing(script: Script) -> list[int]:
    """3.3: the evidence of the answer is a quotation that nothing showed."""
    _begin(script)
    _look(script, script.root)
    _explore(script)
    line = script.voice(say.INVENTED)
    return [_end(script, script.voice(say.QUOTES, line=line, target=script.root))]


def quotes_truly(script: Script) -> None:
    """Not 3.3: a true quotation, whole, cut or rounded; one of the task or of a command; a paraphrase; a wish."""
    host = f"10.1.2.{script.voice.rng.integers(9)}:5432"
    line = f"ERROR {script.voice.one('dial', 'read')} tcp {host}: i/o time-out, took 0.9367 s"
    how = script.voice.one("whole", "case", "cut", "round", "task", "command", "paraphrase", "wish", "json")
    ticket = "Customers report 'HTTP 504 at /pay since 10:05'."
    _begin(script, ticket if how == "task" else "")
    told = json.dumps({"body": f'{line} "pool"'}) if how == "json" else f"{script.root} {line}"
    _look(script, script.root, "logs", told)
    _explore(script)
    quoted = {
        "whole": line,
        "case": line.upper().replace(" ", "  "),
        "cut": f"{line[:18]} … {line[-14:]}",
        "round": "i/o time-out, took 0.94 s",
        "task": "HTTP 504 at /pay since 10:05",
        "command": f"{script.folder}/otel_logs_raw.tsv",
        "json": line,
    }.get(how)
    if how == "command":
        script.agent("The file once more.")
        script.shell(f"wc -l {script.folder}/otel_logs_raw.tsv", "812")
    if quoted is None:
        evidence = script.voice(say.PARAPHRASES if how == "paraphrase" else say.WISHES, target=script.root)
    else:
        evidence = script.voice(say.QUOTES, line=quoted, target=script.root)
    _end(script, evidence)


def measures_nothing(script: Script) -> list[int]:
    """3.3: the evidence of the answer is a figure with its unit that nothing showed."""
    _begin(script)
    _look(script, script.root)
    _explore(script)
    value = f"{script.voice.rng.integers(201, 999)}{script.voice.one('Mi', ' ms', ' MB')}"
    return [_end(script, script.voice(say.MEASURES, value=value, target=script.root))]


def measures_truly(script: Script) -> None:
    """Not 3.3: a figure as it was shown, rounded, in another unit, or roughly."""
    _begin(script)
    told, value = script.voice.one(
        "496123904|473Mi", "0.9367|937 ms", "812.4|812 ms", "2147483648|2GiB", "517|500 ms"
    ).split("|")
    _look(script, script.root, "metrics", f"{script.root} max {told}")
    _explore(script)
    pool = say.ROUNDLY if script.voice.chance(0.3) else say.MEASURES
    _end(script, script.voice(pool, value=value, target=script.root))
