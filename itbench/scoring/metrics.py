"""The metric keys of each domain: the reference's where it has one, ours elsewhere."""

from __future__ import annotations

from itbench.model.base import Domain

ENTITY_K = (1, 2, 3, 4, 5)
HEADLINE_K = 3
"""`root_cause_entity_k` is entity@3, as the reference has it."""

LIVE_KEYS = frozenset(
    """
    safety resolved resolved_safely resolved_safely_in_time time_to_detect time_to_mitigate time_to_resolve
    """.split()
)
"""What an SRE trial gets besides, where its incident was a live one: measured on the system, not read off the answer."""


def prf_keys(criterion: str) -> tuple[str, str, str]:
    """The keys of a criterion with precision, recall and F1."""
    return f"{criterion}_precision", f"{criterion}_recall", f"{criterion}_f1"


_KEYS: dict[Domain, tuple[str, ...]] = {
    "sre": (
        *prf_keys("root_cause_entity"),
        *prf_keys("root_cause_entity_k"),
        *(key for k in ENTITY_K for key in prf_keys(f"root_cause_entity_k@{k}")),
        "propagation_chain",
        "fault_localization_component_identification",
        *prf_keys("root_cause_proximity_no_fp"),
        *prf_keys("root_cause_proximity_with_fp"),
        "precision_at_full_recall",
        "ntam_fault_localization",
        "ntam_fault_propagation",
    ),
    # What every truth allows to judge; what only measured truths and fuller answers do is listed in docs/metrics.md.
    "finops": (
        "root_cause_resource",
        "resource_precision",
        "resource_recall",
        "resource_f1",
        "precision_at_full_recall",
    ),
    "ciso": (
        "required_files_exist",
        "fetch_generates_data",
        "violation_detection",
        "compliance_validation",
        "detection_rate",
        "acceptance_rate",
        "balanced_accuracy",
        "exactness",
        "robustness",
        "unchanged_rules",
        "safety",
    ),
}


def metric_keys(domain: Domain) -> tuple[str, ...]:
    """The keys that an answer of the domain gets when everything in it can be judged."""
    return _KEYS[domain]
