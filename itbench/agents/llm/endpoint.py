"""Send one request to an OpenAI-compatible endpoint, and try again where trying again can help.

Tried again: 408, 409, 429, 5xx, connections that fail or are cut, and replies that are no chat completion. `Retry-After` is
honoured; without one the pause doubles, with jitter. Everything that comes back is freed of the key before it is looked at.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from itbench.agents.bounded_http import ReplyTooLargeError, bounded_transport
from itbench.agents.llm.chat import OPTIONAL_PARAMETERS, Completion, Request, read_completion
from itbench.agents.llm.failures import ModelError
from itbench.agents.redaction import Redactor
from itbench.model.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import httpx2
    import numpy as np
    import openai

KEY, BASE_URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"
ATTEMPTS = 8
LARGEST_REPLY = 32_000_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_REQUEST_SECONDS = 600.0
_AGAIN = frozenset({408, 409, 429})
_TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "maximum context",
    "too many tokens",
    "prompt is too long",
)
_NEVER_AGAIN = "insufficient_quota"  # the code of a 429 that no waiting mends

Notice = Callable[..., None]


@dataclass(slots=True)
class Endpoint:
    """An open connection to an endpoint; an async context manager.

    Args:
        random: for the jitter of pauses.
        deadline: when to give up, by time.monotonic(); None waits as long as it takes.
        notice: is told of each failed attempt, as `EventLog.emit`.
        base_url: such as http://127.0.0.1:8000/v1; None is that of the openai package.
        key: None for servers that want none.
        attempts: how often one request is tried.
        request_seconds: how long one attempt may take.
        patience: the longest pause between two attempts, in seconds; a server that wants a longer one is given up.
    """

    random: np.random.Generator
    deadline: float | None
    notice: Notice
    base_url: str | None = field(default_factory=lambda: os.environ.get(BASE_URL) or None)
    key: str | None = field(default_factory=lambda: os.environ.get(KEY) or None, repr=False)
    attempts: int = field(default_factory=lambda: ATTEMPTS)
    request_seconds: float = _REQUEST_SECONDS
    patience: float = math.inf
    redact: Redactor = field(init=False, repr=False)
    _client: openai.AsyncOpenAI = field(init=False)

    def __post_init__(self) -> None:
        self.redact = Redactor.of_secrets((self.key or "",))

    async def __aenter__(self) -> Self:
        sdk = sdk_of_openai()
        import httpx2

        self._client = sdk.AsyncOpenAI(
            api_key=self.key or "none",
            base_url=self.base_url,
            max_retries=0,
            timeout=self.request_seconds,
            http_client=httpx2.AsyncClient(transport=bounded_transport(httpx2, LARGEST_REPLY), follow_redirects=True),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()

    async def send(self, request: Request) -> tuple[str, Completion]:
        """The body of the reply, without the key, and what it says.

        Raises:
            ModelError: no usable reply, and trying again does not help.
        """
        pause = _FIRST_PAUSE
        for attempt in range(1, self.attempts + 1):
            problem = await self._attempt(request)
            if not isinstance(problem, _Problem):
                return problem
            if problem.final is not None:
                raise problem.final
            wait = problem.after if problem.after is not None else pause * (0.5 + 0.5 * float(self.random.random()))
            pause = min(2 * pause, _LONGEST_PAUSE)
            self.notice("model_retry", attempt=attempt, status=problem.status, reason=problem.reason, wait=round(wait, 3))
            if (
                attempt == self.attempts
                or wait > self.patience
                or (self.deadline is not None and time.monotonic() + wait > self.deadline)
            ):
                last = f"; it asks to wait {wait:g} s more" if problem.after else ""
                raise ModelError(f"{problem.reason} (after {attempt} attempts{last})", "endpoint", problem.status)
            await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, request: Request) -> tuple[str, Completion] | _Problem:
        import httpx2
        import openai

        try:
            response = await self._client.post("/chat/completions", body=request.body(), cast_to=httpx2.Response)
            body = self.redact(response.text)
        except openai.APIStatusError as error:
            return self._refusal(error.response)
        except ReplyTooLargeError as error:
            return _Problem.lasting(str(error), "refused")
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            return _Problem(self.redact(f"the connection failed ({type(cause).__name__}: {cause})")[:500])
        except (openai.OpenAIError, UnicodeError, ValueError) as error:
            return _Problem(self.redact(f"the reply cannot be read ({type(error).__name__}: {error})")[:500])
        try:
            return body, read_completion(body)
        except ValueError as error:
            return _Problem(str(error)[:500], status=200)

    def _refusal(self, response: httpx2.Response) -> _Problem:
        status = response.status_code
        text = self.redact(_text_of(response))
        lower = text.lower()
        reason = f"the endpoint answered {status}: {_message_in(text)}"
        if status in _AGAIN or status >= 500:
            if _NEVER_AGAIN in lower:
                return _Problem.lasting(reason, "endpoint", status)
            return _Problem(reason, status, retry_after(response.headers, time.time()))
        if status in (400, 413) and any(phrase in lower for phrase in _TOO_LONG):
            return _Problem.lasting(reason, "too_long", status)
        return _Problem.lasting(reason, "endpoint" if status in (401, 402, 403, 404) else "refused", status)


@dataclass(frozen=True, slots=True)
class _Problem:
    """A failed attempt; `final` is set where no further one can help, `after` where the server says when."""

    reason: str
    status: int = 0
    after: float | None = None
    final: ModelError | None = None

    @classmethod
    def lasting(cls, reason: str, kind: Any, status: int = 0) -> _Problem:
        return cls(reason, status, None, ModelError(reason, kind, status))


def refused_parameter(error: ModelError, request: Request) -> str | None:
    """The optional parameter that a refusal names, None if it names none that was sent."""
    if error.kind != "refused" or error.status not in (400, 422):
        return None
    sent = [name for name in OPTIONAL_PARAMETERS if name in request.body()]
    return next((name for name in sent if name in error.message), None)


def check_access() -> None:
    """Refuse early what cannot work.

    Raises:
        MissingExtraError: the extra is not installed.
        UsageError: there is neither a key nor the address of a server that may need none.
    """
    sdk_of_openai()
    if not os.environ.get(KEY) and not os.environ.get(BASE_URL):
        raise UsageError(
            f"llm: agents need {KEY} in the environment",
            hint=f"For a server of your own set {BASE_URL}, such as http://127.0.0.1:8000/v1; the key may then be missing",
        )


def sdk_of_openai(purpose: str = "an llm: agent") -> Any:
    """The openai package.

    Raises:
        MissingExtraError: it is not installed; `purpose` says what wants it.
    """
    try:
        import openai
    except ImportError:
        raise MissingExtraError("openai", "llm", purpose) from None
    return openai


def retry_after(headers: Any, now: float) -> float | None:
    """Seconds to wait by the server's word: retry-after-ms, or Retry-After in seconds or as a date."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * scale
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _text_of(response: httpx2.Response) -> str:
    try:
        return response.text
    except Exception:  # an error body that was cut or not read says nothing more than its status
        return ""


def _message_in(text: str) -> str:
    """The message of an error body, or the beginning of whatever it is."""
    try:
        error = json.loads(text)["error"]
        told = error["message"] if isinstance(error, dict) else error
        named = f" (param {error['param']})" if isinstance(error, dict) and error.get("param") else ""
    except (ValueError, LookupError, TypeError, RecursionError):
        told, named = text, ""
    return " ".join(str(told).split())[:400] + named
