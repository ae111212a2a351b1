"""Requests to a real API server, and its refusals as our errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from itbench.model.errors import (
    AlreadyExistsError,
    ClusterError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    InvalidError,
    MissingExtraError,
    NotFoundError,
    TooManyRequestsError,
    UsageError,
)

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from urllib3 import HTTPResponse

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query: TypeAlias = Mapping[str, str | int | bool | None]

_REQUEST_SECONDS = 30.0
_CONNECTIONS = 64  # a watch of all kinds holds one a kind
_REASONS: Mapping[str, type[ClusterError]] = {
    "NotFound": NotFoundError,
    "AlreadyExists": AlreadyExistsError,
    "Conflict": ConflictError,
    "Invalid": InvalidError,
    "BadRequest": InvalidError,
    "UnsupportedMediaType": InvalidError,
    "Forbidden": ForbiddenError,
    "Unauthorized": ForbiddenError,
    "TooManyRequests": TooManyRequestsError,
    "Expired": ExpiredError,
    "Gone": ExpiredError,
}
_STATUSES: Mapping[int, type[ClusterError]] = {
    400: InvalidError,
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
    415: InvalidError,
    422: InvalidError,
    429: TooManyRequestsError,
}


class Transport:
    """The connection to one API server.

    Args:
        client: the official client's own; it knows the address and the credentials.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    @classmethod
    def open(cls, kubeconfig: Path | None, context: str | None) -> Transport:
        """Connect as a kubeconfig file says; None takes KUBECONFIG or ~/.kube/config, as kubectl does.

        Raises:
            MissingExtraError: the official client is not installed.
            UsageError: the file is missing or unusable.
        """
        try:
            from kubernetes.client import Configuration
            from kubernetes.config import ConfigException, new_client_from_config
            from yaml import YAMLError
        except ImportError:
            raise MissingExtraError("kubernetes", "cluster", "a real cluster") from None
        configuration = Configuration()
        configuration.connection_pool_maxsize = _CONNECTIONS
        path = None if kubeconfig is None else str(kubeconfig)
        try:
            client = new_client_from_config(path, context, persist_config=False, client_configuration=configuration)
        except ConfigException as error:
            raise UsageError(f"this kubeconfig cannot be used: {error}", path=kubeconfig) from None
        except (TypeError, ValueError, KeyError, AttributeError, YAMLError) as error:  # the client's own complaints are raw
            said = str(error).strip().partition("\n")[0]
            raise UsageError(f"this is no kubeconfig ({type(error).__name__}: {said[:200]})", path=kubeconfig) from None
        return cls(client)

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()
        self._client.rest_client.pool_manager.clear()

    def json(
        self, method: Method, path: str, query: Query | None = None, body: Any = None, content: str = "application/json"
    ) -> dict[str, Any]:
        """The answer to a request, decoded.

        Args:
            method: of HTTP.
            path: from the root of the server.
            query: parameters; those that are None are left out.
            body: what is sent, as JSON.
            content: the type of the body.

        Raises:
            ClusterError: the server refuses, cannot be reached, or answers with no JSON object.
        """
        text = self.text(method, path, query, body, content)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ClusterError(f"the API server answered {method} {path} with no JSON object")
        return answer

    def text(
        self, method: Method, path: str, query: Query | None = None, body: Any = None, content: str = "application/json"
    ) -> str:
        """The answer to a request as it came; see `json`."""
        response = self._send(method, path, query, body, content, _REQUEST_SECONDS)
        try:
            return response.data.decode(errors="replace")
        finally:
            response.release_conn()

    def stream(self, path: str, query: Query, seconds: float) -> HTTPResponse:
        """An open answer to a GET, for `lines`; the caller closes it.

        Raises:
            ClusterError: as `json`.
        """
        return self._send("GET", path, query, None, "application/json", seconds)

    def _send(self, method: Method, path: str, query: Query | None, body: Any, content: str, seconds: float) -> HTTPResponse:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        wanted = [(key, value) for key, value in (query or {}).items() if value is not None]
        headers = {"Accept": "application/json", "Content-Type": content}
        request = self._client.param_serialize(
            method, path, query_params=wanted, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            response: HTTPResponse = self._client.call_api(*request, _request_timeout=seconds).response
        except (HTTPError, ApiException) as error:
            raise ClusterError(f"{self._client.configuration.host} cannot be reached: {error}") from None
        if response.status >= 400:
            try:
                raise _refusal(response.status, response.data.decode(errors="replace"))
            finally:
                response.release_conn()
        return response


def lines(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    """The JSON objects of an answer that has one a line, as they come, until it ends or is shut down."""
    from urllib3.exceptions import HTTPError

    rest = b""
    try:
        for chunk in response.stream(amt=None):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in whole if line)
    except (HTTPError, OSError):
        return  # cut off; whoever follows the stream asks again


def _refusal(code: int, text: str) -> ClusterError:
    """The error that an answer with an error status means."""
    try:
        status = json.loads(text)
    except ValueError:
        status = {}
    reason, message = (status.get("reason"), status.get("message")) if isinstance(status, dict) else (None, None)
    kind = _REASONS.get(str(reason)) or _STATUSES.get(code, ClusterError)
    return kind(message or text.strip() or f"the API server answered {code}")
