"""Check that the files give nothing away: neither the faults nor the scenario nor the harness are named in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from itbench.authoring.rehearsal import Rehearsal
from itbench.authoring.verdict import Check
from itbench.faults.protocol import Injection
from itbench.model.scenario import Scenario
from itbench.twin.incident.incident import Injected
from itbench.twin.telemetry.recording import Recording

HARNESS = (
    *("itbench", "it bench", "simulator", "simulated", "fault inj", "faultinj", "ground truth", "root cause"),
    *("scenario", "red herring"),
)
"""Words of the harness; a blank stands for any of blank, hyphen and underscore, or nothing."""
CHAOS = "chaos"
"""Gives away that somebody does harm, unless a chaos experiment is itself the root, there to be found."""

_TITLE_WORDS = 3
_SENTENCE_WORDS = 4
_NAMESPACE = re.compile(r'(?<=")chaos-mesh(?=[\\]*")')
_SEPARATORS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Leak:
    """One forbidden text and the first place where it stands."""

    words: str
    whose: str
    where: str
    around: str


def leaks(rehearsal: Rehearsal, recording: Recording) -> Check:
    """Nothing that an agent can read names a fault, the scenario or the harness."""
    wanted = forbidden(rehearsal.plan.scenario, rehearsal.measured.worlds.injected)
    texts = list(readable(recording))
    found = find_leaks(texts, wanted)
    numbers = {"texts": len(texts), "forbidden": len(wanted), "leaks": [f"{leak.where}: {leak.words}" for leak in found]}
    if found:
        first = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return Check(
            name="leaks",
            passed=False,
            evidence=f'{first.where} says "{first.around}": {first.whose}{more}',
            remedy="Choose neutral names for what the scenario creates, and an id and a title that stand in no file.",
            numbers=numbers,
        )
    text = f"none of {len(wanted)} telling texts is in the files"
    return Check(name="leaks", passed=True, evidence=text, numbers=numbers)


def forbidden(scenario: Scenario, injected: Iterable[Injected]) -> dict[str, str]:
    """Texts that no file may hold, in lower case with blanks between words, and whose they are."""
    items = list(injected)
    found = {_normal(word): "a word of the harness" for word in HARNESS}
    if not any(is_chaos(item.injection) for item in items):
        found[CHAOS] = "no chaos experiment is part of the scenario"
    for item in items:
        found[_normal(item.fault.id)] = f"the id of the fault {item.fault.id}"
        for words in _runs(_normal(item.fault.title)):
            found[words] = f"from the title of the fault {item.fault.id}"
    return {**found, **said_by_the_author(scenario.id, scenario.title, scenario.description)}


def said_by_the_author(id: str, title: str, description: str) -> dict[str, str]:  # noqa: A002 (the scenario's own word)
    """What a scenario says of itself, as forbidden texts."""
    found = {_normal(id): "the scenario's id", _normal(title): "the scenario's title"}
    for sentence in re.split(r"[.!?\n]+", description):
        if len(_normal(sentence).split()) >= _SENTENCE_WORDS:
            found[_normal(sentence)] = "a sentence of the scenario's description"
    return {words: whose for words, whose in found.items() if words}


def is_chaos(injection: Injection) -> bool:
    """Whether an injection makes a chaos experiment."""
    return any("chaos" in (item.object.api_version or item.object.kind).lower() for item in injection.objects)


def readable(recording: Recording) -> Iterator[tuple[str, str]]:
    """Everything that stands in the files, as (where, text), each text once."""
    seen: set[tuple[str, str]] = set()

    def told(where: str, *texts: str) -> Iterator[tuple[str, str]]:
        for text in texts:
            if text and (where, text) not in seen:
                seen.add((where, text))
                yield where, text

    for alert in recording.alerts:
        if alert.state == "firing":
            yield from told("alerts/", *alert.labels, *alert.labels.values(), *alert.annotations.values())
    for event in recording.events:
        yield from told("k8s_events_raw.tsv", str(event.involved), event.reason, event.message, event.component)
    known: set[int] = set()
    for version in recording.objects:
        # Objects that did not change between two dumps are one object here.
        if id(version.manifest) not in known:
            known.add(id(version.manifest))
            # Every cluster has the namespace of Chaos Mesh, whether somebody uses it or not.
            yield "k8s_objects_raw.tsv", _NAMESPACE.sub("", json.dumps(version.manifest))
    for line in recording.logs:
        yield from told("otel_logs_raw.tsv", line.body, line.service, *line.resource.values(), *line.attributes.values())
    for span in recording.spans:
        yield from told("otel_traces_raw.tsv", span.name, span.service, span.status_message)
        yield from told("otel_traces_raw.tsv", *span.resource.values(), *span.attributes.values())
    for one in recording.samples:
        yield from told("metrics/", one.metric, one.object_name, one.purpose, *one.labels, *one.labels.values())


def find_leaks(texts: Iterable[tuple[str, str]], wanted: dict[str, str]) -> list[Leak]:
    """The forbidden texts that stand somewhere, each once."""
    # Whole words only: "scenario" in "scenarios" still counts, "ad" in "loadbalancer" does not.
    patterns = {words: re.compile(rf"(?<![a-z0-9]){words.replace(' ', '[^a-z0-9]*')}", re.ASCII) for words in wanted}
    found: dict[str, Leak] = {}
    for where, text in texts:
        lower = text.lower()
        for words, pattern in patterns.items():
            # Looking for a plain first word is much faster than matching, and nearly always the end of it.
            if words in found or words.partition(" ")[0] not in lower:
                continue
            match = pattern.search(lower)
            if match is not None:
                around = text[max(match.start() - 20, 0) : match.end() + 20]
                found[words] = Leak(words, wanted[words], where, _SPACE.sub(" ", around))
    return list(found.values())


_SPACE = re.compile(r"\s+")


def _normal(text: str) -> str:
    return _SEPARATORS.sub(" ", text.lower()).strip()


def _runs(title: str) -> Iterator[str]:
    """A title's runs of so many words; a shorter title is one itself."""
    words = title.split()
    size = min(_TITLE_WORDS, len(words))
    for first in range(len(words) - size + 1):
        yield " ".join(words[first : first + size])
