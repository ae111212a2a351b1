"""Annotate traces by a language model: a request for each part and vote, at temperature 0, in a boundary of its own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any

from itbench.agents.llm.chat import Message, Request
from itbench.bundled import bundled
from itbench.datasets.shipped import read_shipped
from itbench.judge.asking import Asked, Asker, Bill, problem_of
from itbench.mast.llm.parts import ROOM, Part, parts_of
from itbench.mast.llm.votes import ModeVote, majority, over_parts, read_votes, silent
from itbench.mast.trace import Trace
from itbench.mast.view import View
from itbench.model.mast import VERDICTS, AnnotatedTrace, Annotation, AnnotatorPrompt, Mode, Taxonomy
from itbench.scoring.judge.prompt import enclosed

DEFAULT_PROMPT = "llm-1"
_ANY_BOUNDARY = "BOUNDARY"


def load_prompt(version: str = DEFAULT_PROMPT) -> AnnotatorPrompt:
    """A version of the prompt that ships.

    Raises:
        DatasetError: there is none, or its file is wrong.
    """
    path = bundled("evaluators") / "mast" / "annotators" / f"{version}.yaml"
    return read_shipped(path, AnnotatorPrompt, "evaluators/mast/annotators/llm-1.yaml is an example")


@dataclass(frozen=True, slots=True)
class LlmAnnotator:
    """A model that annotates.

    Args:
        boundary: makes a word that nobody can guess.
    """

    asker: Asker
    taxonomy: Taxonomy
    prompt: AnnotatorPrompt
    votes: int = 3
    room: int = ROOM
    boundary: Callable[[], str] = lambda: secrets.token_hex(16)

    @property
    def name(self) -> str:
        """The annotator's name: the model, and the version of the prompt."""
        return f"llm:{self.asker.model}@{self.prompt.version}"

    @property
    def bill(self) -> Bill:
        """What it cost so far."""
        return self.asker.bill

    async def annotate(self, trace: Trace) -> AnnotatedTrace:
        """All modes of a trace. Never raises for what a model or an endpoint does: that is unknown."""
        view = View(trace)
        asked = [mode for mode in self.taxonomy.modes if mode.applies_to == "any" or view.multi]
        codes = [mode.code for mode in asked]
        if not view.agent_sayings:
            cast = [silent("the trace has no step of an agent", codes)]
        else:
            parts, whole = parts_of(trace, view.task, self.room)
            cast = await asyncio.gather(
                *(self._vote(parts, asked, number, whole=whole) for number in range(1, self.votes + 1))
            )
        annotations = (
            self._annotation(mode.code, [vote[mode.code] for vote in cast])
            if mode in asked
            else Annotation(
                code=mode.code, verdict="not_applicable", confidence=0.95, annotator=self.name, reason="one agent alone"
            )
            for mode in self.taxonomy.modes
        )
        return AnnotatedTrace(trace=trace.info.trace, annotations=tuple(annotations))

    async def _vote(self, parts: list[Part], modes: list[Mode], number: int, *, whole: bool) -> dict[str, ModeVote]:
        codes = [mode.code for mode in modes]
        replies = await asyncio.gather(*(self.asker.reply(self._asked(part, modes, number)) for part in parts))
        read = []
        for part, reply in zip(parts, replies, strict=True):
            problem = reply if isinstance(reply, str) else problem_of(reply)
            read.append(silent(problem, codes) if isinstance(reply, str) or problem else read_votes(reply.text, part, codes))
        return over_parts(read, codes, whole=whole)

    def _annotation(self, code: str, votes: list[ModeVote]) -> Annotation:
        found, share = majority(votes)
        return Annotation(
            code=code,
            verdict=found.verdict,
            confidence=round(share, 2),
            steps=tuple(sorted({quote.step for quote in found.quotes})),
            annotator=self.name,
            reason=found.reason,
            quotes=found.quotes,
            votes=tuple(vote.verdict for vote in votes),
        )

    def _asked(self, part: Part, modes: list[Mode], number: int) -> Asked:
        sent = [self.asker.model, number, self._system(part, modes, _ANY_BOUNDARY), part.material]
        return Asked(
            key=hashlib.sha256(json.dumps(sent, sort_keys=True).encode("utf-8", "replace")).hexdigest(),
            criterion=f"mast:{self.taxonomy.version}",
            version=self.prompt.version,
            vote=number,
            request=lambda: self._request(part, modes, number),
        )

    def _request(self, part: Part, modes: list[Mode], number: int) -> Request:
        boundary = self.boundary()
        messages = (
            Message("system", self._system(part, modes, boundary)),
            Message("user", enclosed(part.material, boundary)),
        )
        form = {"name": "failure_modes", "strict": True, "schema": answer_schema([mode.code for mode in modes])}
        parameters: dict[str, Any] = {
            "temperature": 0,
            "seed": number,
            "response_format": {"type": "json_schema", "json_schema": form},
        }
        return Request(self.asker.model, messages, parameters=parameters)

    def _system(self, part: Part, modes: list[Mode], boundary: str) -> str:
        told = Template(self.prompt.part).substitute(part=part.number, parts=part.of) if part.of > 1 else ""
        return Template(self.prompt.system).substitute(
            modes="\n".join(map(_described, modes)),
            boundary=boundary,
            part=told,
            codes=", ".join(mode.code for mode in modes),
        )


def answer_schema(codes: list[str]) -> dict[str, Any]:
    """The JSON Schema of an answer."""
    quote = _object({"step": {"type": "integer"}, "text": {"type": "string"}})
    mode = _object(
        {
            "code": {"type": "string", "enum": codes},
            "reason": {"type": "string"},
            "quotes": {"type": "array", "items": quote},
            "verdict": {"type": "string", "enum": list(VERDICTS)},
        }
    )
    return _object({"modes": {"type": "array", "items": mode}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _described(mode: Mode) -> str:
    return (
        f"- {mode.code} {mode.name}: {mode.definition} Counts: {'; '.join(mode.counts)}. "
        f"Does not count: {'; '.join(mode.does_not_count)}."
    )
