"""How talking to a model can fail.

AgentError
├── ModelError    no usable reply; `kind` says whose doing it is
└── TapeError     a recording is missing, damaged or cannot be written
"""

from __future__ import annotations

from typing import Literal

from itbench.model.errors import AgentError

Kind = Literal["endpoint", "refused", "too_long", "timeout"]


class ModelError(AgentError):
    """No reply.

    Attributes:
        kind: `endpoint` is down, overloaded or refuses the key; `refused` is a request that it will never accept;
            `too_long` is one that exceeds the context window; `timeout` met the end of the trial.
        status: HTTP status, 0 without one.
    """

    def __init__(self, message: str, kind: Kind, status: int = 0) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.status = status


class TapeError(AgentError):
    """A recording cannot be used."""
