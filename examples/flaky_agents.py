"""Agents that are asked step by step and fail in known ways: what interventions are tried on.

    itbench run --suite starter --agent python:flaky_agents:Sound          (from this folder)
    itbench ablate --suite starter --agent python:flaky_agents:Repeats --with loop,gate

`Sound` reads the overview and what changed, looks at the object that changed first, and blames it. Each other one is the
same but for one flaw, and mends its ways when it is told of it. `Mixed` has a flaw in some trials, drawn by the seed.
"""

from __future__ import annotations

import json
import random
from typing import Any, ClassVar

from scripted_model import COSMETIC, DERIVED, ROW

Message = dict[str, Any]


class Sound:
    """Looks, checks, answers."""

    options: ClassVar = {"turns": 30}

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        if not tools:
            return self.answer(messages)
        for tool, arguments, words in self.plan(messages):
            if not self.asked(messages, tool, arguments):
                return call(words, tool, arguments)
        return self.answer(messages)

    def plan(self, messages: list[Message]) -> list[tuple[str, dict[str, Any], str]]:
        """What to ask, in order, as far as it is known yet."""
        steps = [
            ("incident_overview", {}, "I will read the overview."),
            ("object_changes", {}, "Next I look at what changed."),
        ]
        if self.asked(messages, "object_changes", {}) and (blamed := self.blamed(messages)):
            steps.append(("object", {"name": blamed[0]}, f"My hypothesis is {blamed[0]}. I check its manifest."))
        return steps

    def seen(self, messages: list[Message]) -> str:
        """All that it can see of what tools said, and of notes."""
        told = "\n".join(str(message.get("content")) for message in messages[2:] if message["role"] != "assistant")
        return told.replace("- object_changes: ", "")  # as notes write it

    def blamed(self, messages: list[Message]) -> tuple[str, str] | None:
        for _, name, kind, fields in ROW.findall(self.seen(messages)):
            if kind not in DERIVED and not COSMETIC.match(fields):
                return name, fields
        return None

    def answer(self, messages: list[Message]) -> str:
        blamed = self.blamed(messages)
        return diagnosis(*blamed) if blamed else diagnosis()

    @staticmethod
    def asked(messages: list[Message], tool: str, arguments: dict[str, Any]) -> bool:
        wanted = (tool, json.dumps(arguments))
        made = [each["function"] for message in messages for each in message.get("tool_calls") or ()]
        return any((each["name"], each["arguments"]) == wanted for each in made)


class Repeats(Sound):
    """Asks for the alerts again and again (1.3), until somebody says so."""

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        if "reminder: you have asked this" in self.seen(messages):
            return super().step(messages, tools)
        return call("Let me look at the alerts.", "alert_summary", {}) if tools else diagnosis()


class Invents(Sound):
    """Blames a service that nothing showed (3.3), until it is told to check."""

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        if not self.asked(messages, "incident_overview", {}):
            return call("I will read the overview.", "incident_overview", {})
        if "is not taken yet" in self.seen(messages):
            return super().step(messages, tools)
        return diagnosis("shop/Deployment/edge-token-broker", "its replicas were scaled to 0")


class StopsEarly(Sound):
    """Says what it will do next, and ends (3.1), until it is told to do it."""

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        if not self.asked(messages, "incident_overview", {}):
            return call("I will read the overview.", "incident_overview", {})
        if "did not do it" in self.seen(messages):
            return super().step(messages, tools)
        return "There are alerts. Next I will read what changed."


class Overstays(Sound):
    """Has its answer and goes on looking (1.5); after twelve looks it believes what it saw last."""

    services = ("cart", "checkout", "frontend", "payment", "shipping", "catalog", "search", "orders", "email", "currency")

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        looks = sum(message["role"] == "assistant" for message in messages)
        if looks < 3:
            return super().step(messages, tools)
        service = self.services[looks % len(self.services)]
        if tools:
            return call(f"Perhaps {service} tells more.", "logs", {"service": service, "limit": 5 + looks})
        return super().answer(messages) if looks < 12 else diagnosis(f"shop/Deployment/{service}", "it was looked at last")


class Forgets(Sound):
    """Has a small window: what it found at first is gone when it wants to answer, and it begins again (1.4)."""

    options: ClassVar = {"turns": 24, "context": 9_000}

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        looks = sum(message["role"] == "assistant" for message in messages)
        if looks % 8 == 0 and not self.blamed(messages):
            return call("I do not know what was found. I start again with what changed.", "object_changes", {})
        if looks % 8 < 6 and tools and (looks % 8 or looks == 0):
            return call(f"Look {looks}: more of the logs.", "logs", {"limit": 200, "offset": looks * 20})
        return self.answer(messages) if self.blamed(messages) or not tools else call("Again.", "alert_summary", {})


class Drowns(Sound):
    """Reads what changed first, then long outputs, and takes in only the last 40,000 characters of it all (1.4)."""

    def seen(self, messages: list[Message]) -> str:
        return super().seen(messages)[-40_000:]

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        plan = [
            ("object_changes", {}),
            *(("logs", {"limit": 200, "offset": 200 * n}) for n in range(6)),
            ("alert_summary", {}),
        ]
        for tool, arguments in plan if tools else ():
            if not self.asked(messages, tool, arguments):
                return call(f"I read: {tool}.", tool, arguments)
        return self.answer(messages)


class Prose(Sound):
    """Answers in prose (1.1), twice even when it is told; the third time it keeps to the form."""

    def answer(self, messages: list[Message]) -> str:
        told = sum("one JSON object, and no other text" in str(message.get("content")) for message in messages[2:])
        return super().answer(messages) if told >= 2 else "The change of a setting caused it, I am sure."


class Mixed:
    """One of the above in each trial: sound in four of ten."""

    flaws = (Sound, Sound, Sound, Sound, Repeats, Repeats, Invents, StopsEarly, Overstays, Prose)
    options: ClassVar = {"turns": 30}

    def begin(self, task: Any) -> None:
        self.inner = self.drawn(task.seed)

    @classmethod
    def drawn(cls, seed: int) -> Sound:
        return random.Random(seed).choice(cls.flaws)()  # noqa: S311 - nothing secret

    def step(self, messages: list[Message], tools: list[Message]) -> Message | str:
        return self.inner.step(messages, tools)


def call(words: str, tool: str, arguments: dict[str, Any]) -> Message:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": words, "tool_calls": [{"id": "c", "type": "function", "function": function}]}


def diagnosis(name: str = "", evidence: str = "") -> str:
    entity = {"name": name, "contributing_factor": True, "reasoning": "It changed first.", "evidence": evidence[:300]}
    return json.dumps({"entities": [entity] if name else [], "propagations": [], "alerts_explained": []})
