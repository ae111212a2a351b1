"""The final answer of a model: what it must look like, and what is wrong with one that does not.

The schema here is the strict form of the answer: what the model is held to, once. What it then still gets wrong is read by
the evaluator with its own, more lenient rules.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from itbench.model.base import Domain
from itbench.model.cost import ActionKind, CauseClass
from itbench.scoring.answer_text import read_json_answer
from itbench.scoring.strict_json import JsonError

_SHOWN_PROBLEMS = 6


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Entity(_Form):
    name: str = Field(min_length=1, description="namespace/Kind/name, or Kind/name for cluster-wide objects")
    contributing_factor: bool = Field(description="true only for independent root causes")
    reasoning: str = Field(description="why, in at most two sentences")
    evidence: str = Field(description="what shows it, in at most two sentences")


class _Propagation(_Form):
    source: str = Field(min_length=1)
    target: str = Field(min_length=1)
    condition: str
    effect: str


class _Alert(_Form):
    alert: str = Field(min_length=1)
    explanation: str
    explained: bool


class SreForm(_Form):
    """The answer to an incident."""

    entities: list[_Entity]
    propagations: list[_Propagation]
    alerts_explained: list[_Alert]


class _Resource(_Form):
    name: str = Field(min_length=1)
    type: str = Field(min_length=1)


class _Claim(_Form):
    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True)

    cause: str = Field(alias="class", description=f"one of {', '.join(CauseClass)}")
    resources: list[_Resource] = Field(description="where it sits")
    onset: str | None = Field(default=None, description="the first day, YYYY-MM-DD")
    amount: float | None = Field(default=None, description="what it added up to until the end of the data")


class _Proposal(_Form):
    action: str = Field(description=f"one of {', '.join(ActionKind)}")
    target: _Resource | None = None
    args: dict[str, float | int | str | bool] = Field(default_factory=dict, description="such as instances, days or level")


class FinopsForm(_Form):
    """The answer to a cost anomaly; an empty list of resources says that the bill is as it should be."""

    resource: list[_Resource]
    anomaly: bool | None = None
    causes: list[_Claim] = Field(default_factory=list)
    mitigations: list[_Proposal] = Field(default_factory=list, description="only what you are sure saves money safely")


class CisoForm(_Form):
    """The answer to a compliance task."""

    files: dict[str, str] = Field(
        min_length=1, description="names of files as the task asks for them, and their whole texts"
    )


FORMS: dict[Domain, type[BaseModel]] = {"sre": SreForm, "finops": FinopsForm, "ciso": CisoForm}


@dataclass(frozen=True, slots=True)
class Checked:
    """A final message held against the schema: the document and its value, or what is wrong."""

    document: bytes | None
    problem: str = ""
    value: dict[str, Any] | None = None


def check(text: str, domain: Domain) -> Checked:
    """Hold a final message against the schema; a code fence around it, with or without prose, is taken off."""
    if not text.strip():
        return Checked(None, "the message is empty")
    try:
        value = read_json_answer(text.encode("utf-8", errors="replace")).value
    except JsonError as error:
        return Checked(None, error.message)
    try:
        FORMS[domain].model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines = [f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}" for each in found[:_SHOWN_PROBLEMS]]
        return Checked(None, "; ".join(lines))
    document = json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", errors="replace")
    return Checked(document, value=value if isinstance(value, dict) else None)


def schema_text(domain: Domain) -> str:
    """The JSON Schema of the answer, for the model."""
    return json.dumps(_plain(FORMS[domain].model_json_schema()), separators=(",", ":"))


def _plain(schema: Any) -> Any:
    """Without the titles that pydantic adds, which say nothing."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema
