"""A Prometheus over HTTP, for tools: two questions, in bounded time and size."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from itbench.tools.errors import ToolError

SECONDS = 30.0
_MOST_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class PrometheusClient:
    """One Prometheus. Attributes: `url` without a path, such as http://127.0.0.1:9090."""

    url: str

    def ask(self, path: str, **values: str) -> dict[str, Any]:
        """The `data` of an answer, which has `resultType` and `result`.

        Raises:
            ToolError: the question is wrong (with Prometheus's own words), the answer too long, or nobody answers.
        """
        if not self.url.startswith(("http://", "https://")):
            raise ToolError(f"{self.url[:100]!r} is no address of a Prometheus", hint="Such as http://127.0.0.1:9090")
        request = urllib.request.Request(  # noqa: S310  as was just seen
            f"{self.url.rstrip('/')}/api/v1/{path}",
            data=urllib.parse.urlencode(values).encode() if values else None,  # what takes no values takes no POST
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        # Proxies of the environment are for the world outside; this one is near.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                raw = answer.read(_MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise ToolError(_said(error.read(100_000)) or f"Prometheus answers {error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ToolError(f"Prometheus does not answer ({error})") from None
        if len(raw) > _MOST_BYTES:
            raise ToolError("the answer is too long", hint="Aggregate, narrow the selector, or take a longer step.")
        try:
            data = json.loads(raw)["data"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ToolError("Prometheus gives an answer that cannot be read") from None
        if not isinstance(data, dict):
            raise ToolError("Prometheus gives an answer that cannot be read")
        return data


def _said(raw: bytes) -> str:
    try:
        said = json.loads(raw)
        return str(said["error"])[:1000]
    except (ValueError, KeyError, TypeError):
        return raw.decode(errors="replace").strip()[:300]
