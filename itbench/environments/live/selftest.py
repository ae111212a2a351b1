"""Show, with the agent's own token, that the API server gives it nothing away: before each trial on a real one.

Asked is what a curious agent would ask: for the secrets and namespaces of others, for rights that lead to more rights, for
the history of all that it can list (managedFields, annotations, events, what was last applied), and, with the same token, at
the API servers of other trials on this machine.
"""

from __future__ import annotations

import http.client
import json
import ssl
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml

from itbench.cluster.control_plane import FOLDER_PREFIX
from itbench.cluster.kinds import KINDS, Kind
from itbench.model.base import Document, Model
from itbench.model.errors import ClusterError

_SECONDS = 30.0
_MOST_BYTES = 100_000_000
_HARNESS = ("itbench", "harness", "ground_truth", "ground truth", "counterfactual", "digital twin")
_SHORTEST = 8  # a shorter id can occur by chance
Result = Literal["denied", "absent", "nothing", "allowed", "named", "accepted"]


class ApiAttempt(Model):
    """One question.

    Attributes:
        how: `read`, `right`, `history`, `other trial`.
        target: a path, a right, or a kind of objects.
        result: `denied`, `absent` (there is no such thing), `nothing` (seen, and it tells nothing); or a leak: `allowed`,
            `named` (a text names the harness or the fault), `accepted` (another API server takes the token).
        detail: what was found.
    """

    how: str
    target: str
    result: Result
    detail: str = ""

    @property
    def leaks(self) -> bool:
        """Whether the agent gets what it must not have."""
        return self.result in ("allowed", "named", "accepted")


class ApiReport(Document):
    """isolation.json of a trial: every attempt; `leaked` if any leaks."""

    identity: str
    leaked: bool
    attempts: tuple[ApiAttempt, ...]

    @property
    def leaks(self) -> tuple[ApiAttempt, ...]:
        """The attempts that leak."""
        return tuple(attempt for attempt in self.attempts if attempt.leaks)


@dataclass(frozen=True, slots=True)
class Door:
    """The API server of a trial, as the agent is let in.

    Attributes:
        address: a URL.
        authority: certificate of who vouches for it, in PEM.
        user: the agent's name.
        token: the agent's.
        folder: of the server's files on this machine.
    """

    address: str
    authority: str
    user: str
    token: str
    folder: Path


class _Asker:
    """An API server, and a token; a context manager that keeps one connection open.

    Args:
        address: of the server, a URL.
        token: is shown with every question.
        trusted: its certificate; None asks whoever answers.
    """

    def __init__(self, address: str, token: str, trusted: str | None) -> None:
        # Whoever is not known gets nothing but a token that must be refused.
        unknown = trusted is None
        context = ssl._create_unverified_context() if unknown else ssl.create_default_context(cadata=trusted)  # noqa: S323
        url = urlsplit(address)
        self._connection = http.client.HTTPSConnection(str(url.hostname), url.port, timeout=_SECONDS, context=context)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __enter__(self) -> _Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __call__(self, path: str, body: object = None) -> tuple[int, Any]:
        """Status and document of an answer; a text where it is no JSON.

        Raises:
            ClusterError: nobody answers.
        """
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request("GET" if body is None else "POST", path, text, self._headers)
            answer = self._connection.getresponse()
            raw = answer.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise ClusterError(f"the API server does not answer ({type(error).__name__}: {error})") from error
        if not answer.isclosed():  # there is more of it than anybody wants: the next question needs another connection
            self._connection.close()
        try:
            return answer.status, json.loads(raw)
        except ValueError:
            return answer.status, raw.decode(errors="replace")


def self_test(
    door: Door,
    namespaces: Sequence[str],
    telling: Iterable[str],
    kinds: Sequence[Kind] = KINDS,
    *,
    foreign: Sequence[str] = ("kube-system", "default"),
    prefixes: Sequence[str] = (FOLDER_PREFIX,),
) -> ApiReport:
    """Ask everything.

    Args:
        door: the agent's.
        namespaces: that it was given.
        telling: words that give the incident away, such as the ids of its scenario and faults.
        kinds: whose objects are listed.
        foreign: namespaces that are none of its business.
        prefixes: how the folders of the API servers of other trials begin, among temporary files.

    Raises:
        ClusterError: the API server does not answer.
    """
    words = [*_HARNESS, *(word.lower() for word in telling if len(word) >= _SHORTEST)]
    with _Asker(door.address, door.token, door.authority) as ask:
        attempts = (
            *_reads(ask, namespaces, [name for name in foreign if name not in namespaces]),
            *_rights(ask, namespaces),
            *_histories(ask, kinds, namespaces, words),
            *_others(door, prefixes),
        )
    return ApiReport(identity=door.user, leaked=any(each.leaks for each in attempts), attempts=attempts)


def _reads(ask: _Asker, namespaces: Sequence[str], foreign: Sequence[str]) -> Iterator[ApiAttempt]:
    """Objects that are none of the agent's business."""
    paths = [
        "/api/v1/secrets",
        *(f"/api/v1/namespaces/{name}/secrets" for name in (*foreign, *namespaces)),
        *(f"/api/v1/namespaces/{name}/configmaps" for name in foreign),
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/coordination.k8s.io/v1/leases",
        "/metrics",
        "/debug/pprof/",
        "/logs/",
    ]
    for path in paths:
        status, _ = ask(path)
        result: Result = "denied" if status in (401, 403) else "absent" if status in (404, 405) else "allowed"
        yield ApiAttempt(how="read", target=path, result=result)


def _rights(ask: _Asker, namespaces: Sequence[str]) -> Iterator[ApiAttempt]:
    """Rights that lead to more than was given; the server is asked whether the agent has them."""
    own = namespaces[0]
    rights = [
        *(("*", "*", "*", name) for name in ("", "kube-system", own)),
        *(("create", "", f"pods/{way}", own) for way in ("exec", "attach", "portforward", "ephemeralcontainers")),
        *(("get", "", way, "") for way in ("nodes/proxy", "nodes/log")),
        ("get", "", "services/proxy", own),
        ("create", "", "serviceaccounts/token", own),
        ("impersonate", "", "users", ""),
        *((verb, "rbac.authorization.k8s.io", "clusterroles", "") for verb in ("create", "bind", "escalate")),
        ("create", "rbac.authorization.k8s.io", "rolebindings", own),
        ("create", "", "pods", "kube-system"),
        ("delete", "", "namespaces", ""),
        ("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", ""),
        ("create", "certificates.k8s.io", "certificatesigningrequests", ""),
    ]
    for verb, group, what, namespace in rights:
        resource, _, subresource = what.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**attributes, "subresource": subresource}},
        }
        status, answer = ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        if status != http.HTTPStatus.CREATED:
            raise ClusterError(f"the API server does not say what an agent may do ({status})")
        target = f"{verb} {'/'.join(part for part in (group, resource, subresource) if part)} in {namespace or 'all'}"
        yield ApiAttempt(how="right", target=target, result="allowed" if answer["status"]["allowed"] else "denied")


def _histories(ask: _Asker, kinds: Sequence[Kind], namespaces: Sequence[str], words: Sequence[str]) -> Iterator[ApiAttempt]:
    """What everything that can be listed says of where it came from; managedFields are part of any list."""
    for kind in kinds:
        root = f"/api/{kind.api_version}" if not kind.group else f"/apis/{kind.api_version}"
        paths = [f"{root}/{kind.plural}"]
        if kind.namespaced:
            paths += [f"{root}/namespaces/{name}/{kind.plural}" for name in namespaces]
        results: list[tuple[Result, str]] = []
        for path in paths:
            status, answer = ask(path)
            if status == http.HTTPStatus.OK:
                found = next(_named(answer, words), "")
                results.append(("named", found) if found else ("nothing", ""))
            else:
                results.append(("denied" if status in (401, 403) else "absent", ""))
        worst = max(results, key=lambda each: ("absent", "denied", "nothing", "named").index(each[0]))
        yield ApiAttempt(how="history", target=kind.qualified_plural, result=worst[0], detail=worst[1])


def _named(answer: Any, words: Sequence[str]) -> Iterator[str]:
    """The objects that name something they must not."""
    items = answer.get("items") if isinstance(answer, dict) else None
    for item in items if isinstance(items, list) else []:
        text = json.dumps(item).lower()
        for word in words:
            if word in text:
                yield f"{item.get('metadata', {}).get('name')}: {word}"


def _others(door: Door, prefixes: Sequence[str]) -> Iterator[ApiAttempt]:
    """The API servers of other trials, as far as this user's files tell of them."""
    for folder in sorted(path for prefix in prefixes for path in Path(tempfile.gettempdir()).glob(f"{prefix}*")):
        if folder == door.folder:
            continue
        try:
            config = yaml.safe_load((folder / "kubeconfig").read_text(encoding="utf-8"))
            address = config["clusters"][0]["cluster"]["server"]
            with _Asker(str(address), door.token, None) as ask:
                status, _ = ask("/api/v1/namespaces")
        except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError, ClusterError):
            continue  # of another user, no control plane, or it has just ended
        # Who is forbidden something has been recognised.
        yield ApiAttempt(how="other trial", target=str(address), result="denied" if status == 401 else "accepted")
