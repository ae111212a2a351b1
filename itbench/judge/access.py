"""Where the judge's model is, by the environment.

JUDGE_BASE_URL and JUDGE_API_KEY, so that the judge may be another provider's than the agent; without any of them
OPENAI_BASE_URL and OPENAI_API_KEY. The two families are never mixed: a key goes only to the address it was given with.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from itbench.model.errors import UsageError

JUDGE_MODEL, JUDGE_BASE_URL, JUDGE_API_KEY = "JUDGE_MODEL", "JUDGE_BASE_URL", "JUDGE_API_KEY"
_FAMILIES = ((JUDGE_BASE_URL, JUDGE_API_KEY), ("OPENAI_BASE_URL", "OPENAI_API_KEY"))
FROM_ENVIRONMENT = "env"


@dataclass(frozen=True, slots=True)
class Access:
    """An address (None: that of the openai package) and a key (None: the server wants none)."""

    base_url: str | None = None
    key: str | None = field(default=None, repr=False)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Access | None:
        """As the environment has it; None if there is neither an address nor a key."""
        for address, key in _FAMILIES:
            if environment.get(address) or environment.get(key):
                return cls(environment.get(address) or None, environment.get(key) or None)
        return None


NO_ACCESS = (
    f"no judge could be asked: set {JUDGE_API_KEY} or OPENAI_API_KEY, or {JUDGE_BASE_URL} for a server that needs no key"
)


def chosen_model(asked: str, environment: Mapping[str, str] = os.environ) -> str:
    """The model that `--judge` names; `env` stands for JUDGE_MODEL.

    Raises:
        UsageError: it is empty, or JUDGE_MODEL is to be used and not set.
    """
    model = environment.get(JUDGE_MODEL, "") if asked == FROM_ENVIRONMENT else asked
    if not model.strip():
        raise UsageError(
            "say which model judges", key="--judge", hint=f"For example --judge gpt-5-mini, or set {JUDGE_MODEL}"
        )
    return model.strip()
