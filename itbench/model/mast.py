"""Failure modes of agents: the taxonomy, and annotations of traces with it.

A verdict is about one mode in one trace. `unknown` is what an annotator could not tell; it is never read as `absent`.
"""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, FiniteFloat, model_validator

from itbench.model.base import Document, Model

Verdict = Literal["present", "absent", "not_applicable", "unknown"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Stage = Literal["pre", "exec", "post"]


class Mode(Model):
    """One way to fail. `code` is that of the paper, `id` never changes."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    code: str = Field(pattern=r"^\d+\.\d+$")
    name: str = Field(min_length=1)
    category: str
    stage: Stage = Field(description="when it shows: before the work, during it, or at its end")
    applies_to: Literal["any", "multi"] = Field(description="multi: only where several agents talk to each other")
    definition: str = Field(min_length=1)
    counts: tuple[str, ...]
    does_not_count: tuple[str, ...]
    examples: tuple[str, ...]


class ForeignLabel(Model):
    """A label of another label set, and the mode that it stands for; `code` is None where it has no successor."""

    label: str | None = Field(default=None, description="their code; needed where codes are what counts")
    name: str
    code: str | None
    certain: bool = Field(description="false where their label covers more, or something else as well")


class LabelSet(Model):
    """What others call the modes. Codes that a set keyed by code does not list mean what they mean here."""

    title: str
    keyed_by: Literal["code", "name"]
    labels: tuple[ForeignLabel, ...]


class Taxonomy(Document):
    """One version of the taxonomy; a file of evaluators/mast/."""

    version: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    categories: dict[str, str]
    modes: tuple[Mode, ...] = Field(min_length=1)
    label_sets: dict[str, LabelSet] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, values in (("code", [mode.code for mode in self.modes]), ("id", [mode.id for mode in self.modes])):
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"two modes have the {what} {twice!r}")
        for mode in self.modes:
            if mode.category not in self.categories:
                raise ValueError(f"mode {mode.code} is of the category {mode.category!r}, which is not listed")
        for name, labels in self.label_sets.items():
            for label in labels.labels:
                if label.code is not None and label.code not in self.codes:
                    raise ValueError(f"label set {name}: {label.name!r} stands for {label.code!r}, which is no mode")
                if labels.keyed_by == "code" and label.label is None:
                    raise ValueError(f"label set {name} is keyed by code, and {label.name!r} has no label")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all modes, in the order of the file."""
        return tuple(mode.code for mode in self.modes)

    def mode(self, code: str) -> Mode:
        """The mode of a code.

        Raises:
            KeyError: there is none.
        """
        for mode in self.modes:
            if mode.code == code:
                return mode
        raise KeyError(code)


class Quote(Model):
    """Words of a trace, as they stand in a step of it."""

    step: int
    text: str


class Annotation(Model):
    """What one annotator says of one mode in one trace."""

    code: str
    verdict: Verdict
    confidence: FiniteFloat = Field(ge=0, le=1, description="how sure the annotator is; 0 for unknown")
    steps: tuple[int, ...] = Field(default=(), description="step ids that the verdict rests on, rising")
    annotator: str
    reason: str = ""
    quotes: tuple[Quote, ...] = Field(default=(), description="the words that it rests on, as far as they were checked")
    votes: tuple[Verdict, ...] = Field(default=(), description="of an annotator who was asked several times, each vote")


class AnnotatedTrace(Model):
    """All modes of one trace, in the order of the taxonomy."""

    trace: str
    annotations: tuple[Annotation, ...]

    def verdict(self, code: str) -> Verdict:
        """The verdict on a mode, unknown where there is none."""
        return next((each.verdict for each in self.annotations if each.code == code), "unknown")


class AnnotatorPrompt(Document):
    """How a language model is asked for failure modes; a file of evaluators/mast/annotators/.

    `system` and `part` are templates: $modes, $boundary, $codes, $part, $parts. A changed word is a new version.
    """

    version: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    system: str = Field(min_length=1)
    part: str = Field(default="", description="added where a trace is read in several parts")


class Annotations(Document):
    """What `itbench mast annotate --json` prints."""

    kind: Literal["mast-annotations"] = "mast-annotations"
    taxonomy: str
    traces: tuple[AnnotatedTrace, ...]
