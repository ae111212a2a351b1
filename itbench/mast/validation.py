"""How well rules do on generated sessions: precision and recall, mode by mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from itbench.mast.annotate import EXPERIMENTAL, EXPERIMENTAL_EVIDENCE, annotate_trace
from itbench.mast.planting import EVIDENCE, PLANTS, Planted, generate
from itbench.mast.taxonomy import load_taxonomy
from itbench.model.mast import Annotation

PRECISION, RECALL = 0.9, 0.8


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule. A trace counts towards every rule but those whose mode honest people could see there or not.

    Attributes:
        code: of a mode, or a key of `EVIDENCE`: then only its own sessions and near-misses count.
        hits: planted and found.
        missed: planted and not found.
        invented: found where it was not planted, in near-misses and in all other sessions.
        located: share of the hits whose steps include one of those planted.
        near_misses: of `invented`, those in near-misses of this very mode.
    """

    code: str
    hits: int
    missed: int
    invented: int
    near_misses: int
    located: float | None

    @property
    def precision(self) -> float | None:
        """Share of what was found that was planted."""
        found = self.hits + self.invented
        return self.hits / found if found else None

    @property
    def recall(self) -> float:
        """Share of what was planted that was found."""
        return self.hits / (self.hits + self.missed)

    @property
    def good(self) -> bool:
        """Whether the rule may claim its mode."""
        return (self.precision or 0) >= PRECISION and self.recall >= RECALL

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"precision": self.precision, "recall": self.recall, "good": self.good}


def validate_rules(seed: int, count: int, *, held_out: bool) -> tuple[RuleResult, ...]:
    """Generate `count` planted sessions and as many near-misses for each mode and evidence, and hold the rules against them.

    A mode is counted over all sessions but those in which its experimental evidence is planted.
    """
    taxonomy = load_taxonomy()
    seen: list[tuple[Planted, dict[str, Annotation]]] = []
    for mode in (*PLANTS, *EVIDENCE):
        for near_miss in (False, True):
            for number in range(count):
                planted = generate(mode, seed + number, near_miss=near_miss, held_out=held_out)
                annotated = annotate_trace(planted.trace, taxonomy)
                seen.append((planted, {each.code: each for each in annotated.annotations}))
    results = []
    for code in taxonomy.codes:
        claimed = [
            each for each in seen if each[0].near_miss or each[0].mode != code or each[0].kind not in EXPERIMENTAL_EVIDENCE
        ]
        results.append(_result(code, code, claimed))
        kinds = [kind for kind in EVIDENCE if kind.startswith(code)]
        results += [_result(kind, code, [each for each in seen if each[0].kind == kind]) for kind in kinds]
    return tuple(results)


def _result(name: str, code: str, seen: Sequence[tuple[Planted, dict[str, Annotation]]]) -> RuleResult:
    counted = [(planted, by_code[code]) for planted, by_code in seen if code not in planted.either]
    planted_here = [(planted, found) for planted, found in counted if code in planted.present]
    hits = [(planted, found) for planted, found in planted_here if found.verdict == "present"]
    invented = [planted for planted, found in counted if found.verdict == "present" and code not in planted.present]
    located = [bool(set(found.steps) & set(planted.steps)) for planted, found in hits]
    return RuleResult(
        code=name,
        hits=len(hits),
        missed=len(planted_here) - len(hits),
        invented=len(invented),
        near_misses=sum(planted.mode == code for planted in invented),
        located=sum(located) / len(located) if located else None,
    )


def markdown_table(results: Sequence[RuleResult]) -> str:
    """The table of docs/mast.md."""
    names = {mode.code: mode.name for mode in load_taxonomy().modes}
    lines = [
        "| mode | precision | recall | steps found | planted | invented (near-misses) | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for each in results:
        precision = "–" if each.precision is None else f"{each.precision:.2f}"
        located = "–" if each.located is None else f"{each.located:.2f}"
        label = f"{each.code} {names[each.code]}" if each.code in names else f"– of this, {each.code.partition(' ')[2]}"
        status = (
            "experimental"
            if each.code in EXPERIMENTAL | EXPERIMENTAL_EVIDENCE
            else ""
            if each.good
            else "**below its claim**"
        )
        lines.append(
            f"| {label} | {precision} | {each.recall:.2f} | {located} | {each.hits + each.missed} "
            f"| {each.invented} ({each.near_misses}) | {status} |"
        )
    return "\n".join(lines)
