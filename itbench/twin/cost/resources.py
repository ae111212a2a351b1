"""How providers name what they charge for."""

from __future__ import annotations

import re

from itbench.twin.cost.plan import LinePlan, WorldPlan


def resource_id(plan: WorldPlan, line: LinePlan) -> str:
    """The ResourceId of a line: of the provider's form, and without the names of applications."""
    account = plan.account(line.account)
    service = re.sub(r"[^a-z0-9]+", "-", plan.families[line.spec.family].service.lower())
    match account.csp:
        case "AWS":
            return f"arn:aws:{service}:{account.region}:{account.id}:{line.identifier}"
        case "GCP":
            return f"//{service}/projects/{account.id}/{line.identifier}"
        case "Azure":
            return f"/subscriptions/{account.id}/{service}/{line.identifier}"


def resource_name(line: LinePlan) -> str:
    """What its owners call it: this name stays when a tag changes."""
    words = (line.application or "unattached", line.spec.family.replace(".", "-"), str(line.number))
    return "-".join(words)
