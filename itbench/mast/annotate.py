"""Annotate traces by rules: a verdict on every mode of the taxonomy."""

from __future__ import annotations

from collections.abc import Sequence

from itbench.mast.detectors import DETECTORS, Detector
from itbench.mast.trace import Trace
from itbench.mast.view import View
from itbench.model.errors import UsageError
from itbench.model.mast import AnnotatedTrace, Annotation, Taxonomy

ANNOTATOR = "rules-4"
"""The name of this annotator. Its number changes whenever a rule changes what it says."""

EXPERIMENTAL = frozenset({"1.2", "2.2", "2.4", "2.5"})
"""Modes whose rules miss precision 0.9 or recall 0.8 on held-out wordings (`mast validate`); they are never sure."""
EXPERIMENTAL_EVIDENCE = frozenset({"1.4 contradiction", "1.4 closed hypothesis", "3.3 measure"})
"""Evidence within a mode that hangs on words or may have been reckoned; its rules give no more than 0.5 either."""
_NEVER_SURE = 0.5


def annotate_trace(trace: Trace, taxonomy: Taxonomy, detectors: Sequence[Detector] = DETECTORS) -> AnnotatedTrace:
    """All modes of one trace, in the order of the taxonomy; a mode without a rule is unknown.

    Raises:
        UsageError: a rule is for a mode that the taxonomy does not have.
    """
    foreign = [detector.code for detector in detectors if detector.code not in taxonomy.codes]
    if foreign:
        raise UsageError(f"the taxonomy {taxonomy.version} has no mode {foreign[0]}, which a rule looks for")
    rules = {detector.code: detector for detector in detectors}
    view = View(trace)
    return AnnotatedTrace(
        trace=trace.info.trace, annotations=tuple(_annotation(code, rules.get(code), view) for code in taxonomy.codes)
    )


def _annotation(code: str, rule: Detector | None, view: View) -> Annotation:
    if rule is None:
        return Annotation(code=code, verdict="unknown", confidence=0, annotator=ANNOTATOR, reason="no rule looks for it")
    if not view.agent_sayings:
        reason = "the trace has no step of an agent"
        return Annotation(code=code, verdict="unknown", confidence=0, annotator=ANNOTATOR, reason=reason)
    found = rule.look(view)
    unsure = code in EXPERIMENTAL and found.verdict != "not_applicable"
    return Annotation(
        code=code,
        verdict=found.verdict,
        confidence=round(min(found.confidence, _NEVER_SURE), 2) if unsure else round(found.confidence, 2),
        steps=found.steps,
        annotator=ANNOTATOR,
        reason=found.reason,
    )
