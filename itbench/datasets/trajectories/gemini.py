"""Gemini CLI: the chats below ~/.gemini/tmp, as JSON Lines of records or, from older versions, as one JSON document.

A record of a message replaces an earlier one of the same id; `$rewindTo` takes messages back, `$set` changes the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itbench.datasets.trajectories.builder import Builder
from itbench.datasets.trajectories.fields import arguments, count, mapping, mappings, string, text_of, time
from itbench.datasets.trajectories.lines import Lines
from itbench.model.trajectory import AgentInfo, StepMetrics, Trajectory


def read_gemini(lines: Lines) -> Trajectory:
    """The session of one file of JSON Lines."""
    header: dict[str, Any] = {}
    messages: dict[str, Mapping[str, Any]] = {}
    for number, line in lines:
        if isinstance(line.get("$rewindTo"), str):
            _rewind(messages, line["$rewindTo"])
        elif isinstance(line.get("$set"), dict):
            header |= line["$set"]
        elif isinstance(line.get("id"), str):
            messages[line["id"]] = line
        elif "sessionId" in line:
            header |= line
        else:
            lines.leave_out(number, "no record of a Gemini session: neither id nor sessionId")
    return gemini_session(header | {"messages": list(mappings(header.get("messages"))) or list(messages.values())})


def gemini_session(document: Mapping[str, Any]) -> Trajectory:
    """The session of one JSON document."""
    builder, model = Builder(), None
    for message in mappings(document.get("messages")):
        when, text = time(message.get("timestamp")), text_of(message.get("content"))
        if message.get("type") != "gemini":
            builder.say("user" if message.get("type") == "user" else "system", text, when)
            continue
        builder.close()
        model = string(message.get("model")) or model
        draft = builder.agent(when, model)
        draft.said.append(text)
        draft.reasoning += [
            ": ".join(filter(None, (string(thought.get("subject")), string(thought.get("description")))))
            for thought in mappings(message.get("thoughts"))
        ]
        tokens = mapping(message.get("tokens"))
        if tokens:
            made = (count(tokens.get("output")), count(tokens.get("thoughts")))
            draft.metrics = StepMetrics(
                prompt_tokens=count(tokens.get("input")),
                completion_tokens=None if made == (None, None) else sum(part or 0 for part in made),
                cached_tokens=count(tokens.get("cached")),
            )
        for call in mappings(message.get("toolCalls")):
            before = set(draft.calls)
            given, malformed = arguments(call.get("args"))
            builder.call(draft, string(call.get("id")), string(call.get("name")), given, malformed)
            (made_id,) = set(draft.calls) - before
            builder.result(made_id, _result(call), is_error=call.get("status") == "error")
    agent = AgentInfo(name="gemini-cli", version="unknown", model_name=model)
    return builder.trajectory(agent, string(document.get("sessionId")))


def _rewind(messages: dict[str, Mapping[str, Any]], to: str) -> None:
    names = list(messages)
    for name in names[names.index(to) :] if to in messages else names:
        del messages[name]


def _result(call: Mapping[str, Any]) -> str:
    """What a call returned: the output of its function response, else what was shown to the user."""
    texts = []
    for part in mappings(call.get("result")):
        response = mapping(mapping(part.get("functionResponse")).get("response"))
        texts.append(text_of(response.get("output", response.get("error"))) if response else string(part.get("text")))
    return "\n".join(filter(None, texts)) or text_of(call.get("resultDisplay"))
