"""HTTP transports whose replies end with an error where they become too large, for httpx and its successor httpx2 alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any


class ReplyTooLargeError(Exception):
    """A reply beyond the limit, or compressed so that its size cannot be known before it is unpacked."""


def bounded_transport(http: Any, largest: int) -> Any:
    """An asynchronous transport of the module `http` (httpx or httpx2).

    Args:
        http: the module.
        largest: of a reply, in bytes.
    """

    class Bounded(http.AsyncByteStream):  # type: ignore[misc]  # of a module that is an argument: mypy sees Any
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._inner:
                size += len(chunk)
                if size > largest:
                    raise ReplyTooLargeError(f"the reply is larger than {largest:,} bytes")
                yield chunk

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Transport(http.AsyncHTTPTransport):  # type: ignore[misc]  # of a module that is an argument: mypy sees Any
        async def handle_async_request(self, request: Any) -> Any:
            request.headers["Accept-Encoding"] = "identity"
            response = await super().handle_async_request(request)
            if response.headers.get("content-encoding", "identity") != "identity":
                await response.aclose()
                raise ReplyTooLargeError("the reply is compressed although it was asked not to be")
            response.stream = Bounded(response.stream)
            return response

    return Transport()
