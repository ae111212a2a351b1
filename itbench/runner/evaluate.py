"""Hold one answer against the truth: the step from raw bytes to an outcome and scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from itbench import __version__
from itbench.model.base import Domain
from itbench.model.diagnosis import CostDiagnosis, Diagnosis
from itbench.model.errors import UsageError
from itbench.model.outcome import Outcome, Score
from itbench.model.rules import Rules
from itbench.model.trial import RunConfig
from itbench.model.truth import GroundTruth
from itbench.runner.bills import BillScene
from itbench.scoring.answer import read_answer
from itbench.scoring.finops import score_finops
from itbench.scoring.judge.question import Subjects, subjects_of
from itbench.scoring.sre import score_sre

SCORED_DOMAINS: tuple[Domain, ...] = ("sre", "ciso", "finops")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdict on one answer; `repairs` and `notes` say how it had to be read."""

    outcome: Outcome
    scores: dict[str, Score] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Everything that decides a score besides the answer and the truth.

    Args:
        rules: matching policies, weights, and what failures mean.
        policy: which of the policies applies.
        namespace_filter: leave out predictions in the rules' `excluded_namespaces`, as the reference can.
        limit: answers of more bytes are not read.
        seed: which hidden variants of a compliance task are drawn.
        unprotected: where there is no sandbox, run the scripts in answers to compliance tasks without one.

    Raises:
        UsageError: the rules have no such policy.
    """

    rules: Rules
    policy: str = "reference"
    namespace_filter: bool = False
    limit: int = 5_000_000
    seed: int = 0
    unprotected: bool = False

    def __post_init__(self) -> None:
        if self.policy not in self.rules.policies:
            known = ", ".join(sorted(self.rules.policies))
            raise UsageError(f"there is no matching policy {self.policy!r}", hint=f"Known: {known}")

    @classmethod
    def of_run(cls, config: RunConfig, rules: Rules) -> Evaluator:
        """The evaluator that a run was configured with."""
        return cls(
            rules, config.policy, config.namespace_filter, config.budget.output_bytes, config.seed, config.unprotected
        )

    @property
    def stamp(self) -> dict[str, str]:
        """What a record says about how it was scored."""
        told = {"evaluator": f"itbench {__version__}", "rules": self.rules.version, "policy": self.policy}
        told |= {"namespace_filter": "on"} if self.namespace_filter else {}
        return told | ({"unprotected": "allowed"} if self.unprotected else {})

    def evaluate(self, raw: bytes, domain: Domain, truth: GroundTruth, scene: BillScene | None = None) -> Evaluation:
        """Read and score one answer. Never raises for what an agent wrote.

        Args:
            raw: the answer.
            domain: of the scenario.
            truth: of the scenario.
            scene: FinOps: where the bill comes from, so that alerts count and proposals are carried out.

        Raises:
            UsageError: the domain has no evaluator.
        """
        require_scored(domain)
        if domain == "ciso":
            try:
                return self._try(raw, truth)
            except Exception as error:
                return Evaluation(_defect(error))
        answer = read_answer(raw, domain, limit=self.limit)
        if answer.diagnosis is None:
            outcome = Outcome.unscored("output_invalid", answer.problem or "unreadable")
            return Evaluation(outcome, {}, answer.repairs, answer.notes)
        try:
            scores = self._score(answer.diagnosis, truth, scene)
        except Exception as error:
            return Evaluation(_defect(error), {}, answer.repairs, answer.notes)
        return Evaluation(Outcome.scored(), scores, answer.repairs, answer.notes)

    def subjects(self, raw: bytes, truth: GroundTruth) -> Subjects | None:
        """What a judge can be asked about an SRE answer, by the same matches; None if it cannot be read."""
        diagnosis = read_answer(raw, "sre", limit=self.limit).diagnosis
        if not isinstance(diagnosis, Diagnosis):
            return None
        return subjects_of(diagnosis, truth, self.rules, self.policy, self._excluded)

    @property
    def _excluded(self) -> tuple[str, ...]:
        return self.rules.excluded_namespaces if self.namespace_filter else ()

    def _try(self, raw: bytes, truth: GroundTruth) -> Evaluation:
        from itbench.compliance.evaluate import ComplianceRules, evaluate_answer

        if truth.folder is None:
            return Evaluation(Outcome.unscored("evaluator_error", "this ground truth is not that of a compliance task"))
        rules = ComplianceRules(self.seed, unprotected=self.unprotected)
        verdict = evaluate_answer(raw, Path(truth.folder), rules, self.limit)
        return Evaluation(verdict.outcome, verdict.scores, (), verdict.notes)

    def _score(self, diagnosis: Diagnosis | CostDiagnosis, truth: GroundTruth, scene: BillScene | None) -> dict[str, Score]:
        if isinstance(diagnosis, CostDiagnosis):
            evidence = None if scene is None else scene.evidence(diagnosis, truth)
            return score_finops(diagnosis, truth, self.rules, evidence)
        return score_sre(diagnosis, truth, self.rules, self.policy, self._excluded)


def _defect(error: Exception) -> Outcome:
    """A defect of ours must not look like a failure of the agent, nor stop the other trials."""
    return Outcome.unscored("evaluator_error", f"{type(error).__name__}: {error}"[:2000])


def require_scored(domain: Domain) -> None:
    """Refuse domains that have no evaluator yet.

    Raises:
        UsageError: the domain is one of them.
    """
    if domain not in SCORED_DOMAINS:
        raise UsageError(f"itbench cannot score the domain {domain} yet; it scores {' and '.join(SCORED_DOMAINS)}")
