"""Timed changes of a cluster, as a play's file lists them.

- at: 0
  verb: patch
  object: deployment/web
  type: strategic
  patch: {spec: {replicas: 3}}
- at: 120
  verb: rollout-undo
  object: deployment/web
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from itbench.cluster.kinds import kind_named
from itbench.cluster.manifest import read_manifest
from itbench.cluster.protocol import KubeObject, PatchType
from itbench.cluster.reference import ObjectRef
from itbench.datasets.findings import Key
from itbench.model.base import Model
from itbench.model.errors import ClusterError, TooManyRequestsError
from itbench.twin.documents import Document, read_documents
from itbench.twin.objects import controller_of, is_deleting, name_of, namespace_of, node_of
from itbench.twin.twin import Twin

Verb = Literal[
    "apply",
    "create",
    "cordon",
    "delete",
    "drain",
    "evict",
    "patch",
    "replace",
    "rollout-pause",
    "rollout-restart",
    "rollout-resume",
    "rollout-undo",
    "scale",
    "uncordon",
]
_WITH_MANIFEST = frozenset({"apply", "create", "replace"})
_EVICTION_RETRY = 5.0


class ChangeEntry(Model):
    """One entry of the file.

    Attributes:
        at: seconds after the first change.
        verb: what is done, as kubectl calls it.
        object: to what, such as `deployment/web`; not for verbs that take a manifest.
        namespace: where that is; may be left out where only one namespace has an object of this name.
        type: of a patch.
        patch: what to merge, or the operations of a JSON patch.
        manifest: what to apply, create or replace.
        replicas: for scale.
        grace_seconds: for delete; 0 removes a pod at once.
    """

    at: float = Field(ge=0)
    verb: Verb
    object: str | None = None
    namespace: str | None = None
    type: PatchType = "strategic"
    patch: dict[str, Any] | list[dict[str, Any]] | None = None
    manifest: dict[str, Any] | None = None
    replicas: int | None = Field(default=None, ge=0)
    grace_seconds: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_what_its_verb_needs(self) -> ChangeEntry:
        needed = "manifest" if self.verb in _WITH_MANIFEST else "object"
        if getattr(self, needed) is None:
            raise ValueError(f"{self.verb} needs {needed}")
        if self.verb == "patch" and self.patch is None:
            raise ValueError("patch needs patch")
        if self.verb == "scale" and self.replicas is None:
            raise ValueError("scale needs replicas")
        return self


class Change:
    """A change that knows where it was written.

    Args:
        entry: what it is.
        document: its file.
        place: its key there.
    """

    def __init__(self, entry: ChangeEntry, document: Document, place: Key) -> None:
        self.at = entry.at
        self._entry = entry
        self._document = document
        self._place = place

    def make(self, twin: Twin) -> None:
        """Make it now.

        Raises:
            UsageError: its object is not there, or the API refuses it; with path, line and key.
        """
        try:
            self._make(twin)
        except ClusterError as error:
            key = "manifest" if self._entry.verb in _WITH_MANIFEST else "object"
            raise self._document.error((*self._place, key), error.message, error.hint) from error

    def _make(self, twin: Twin) -> None:
        entry, cluster = self._entry, twin.cluster.acting_as("kubectl")
        if entry.manifest is not None and entry.verb in _WITH_MANIFEST:
            body = read_manifest(entry.manifest)[1]
            _ensure_namespace(twin, body)
            {"apply": cluster.apply, "create": cluster.create, "replace": cluster.replace}[entry.verb](body)
            return
        ref = self._ref(twin)
        match entry.verb:
            case "patch":
                assert entry.patch is not None
                cluster.patch(ref, entry.patch, entry.type)
            case "delete":
                cluster.delete(ref, entry.grace_seconds)
            case "scale":
                assert entry.replicas is not None
                cluster.scale(ref, entry.replicas)
            case "rollout-undo":
                cluster.rollout_undo(ref)
            case "rollout-restart":
                cluster.restart(ref)
            case "rollout-pause" | "rollout-resume":
                cluster.patch(ref, {"spec": {"paused": True if entry.verb == "rollout-pause" else None}}, "merge")
            case "cordon" | "uncordon":
                cluster.patch(ref, {"spec": {"unschedulable": True if entry.verb == "cordon" else None}}, "merge")
            case "evict":
                cluster.evict(ref, entry.grace_seconds)
            case _:
                cluster.patch(ref, {"spec": {"unschedulable": True}}, "merge")
                drain(twin, ref.name)

    def _ref(self, twin: Twin) -> ObjectRef:
        """The object that is meant."""
        word, _, name = str(self._entry.object).partition("/")
        kind = kind_named(word)
        if not kind.namespaced or self._entry.namespace is not None:
            return ObjectRef.parse(str(self._entry.object), self._entry.namespace)
        spaces = sorted({namespace_of(obj) for obj in twin.store.list(kind.name) if name_of(obj) == name})
        if len(spaces) > 1:
            text = f"{self._entry.object} is in several namespaces: {', '.join(spaces)}"
            raise self._document.error((*self._place, "object"), text, "Add `namespace`.")
        if not spaces:
            raise self._document.error((*self._place, "object"), f'{kind.qualified_plural} "{name}" not found')
        return ObjectRef.parse(str(self._entry.object), spaces[0])


def read_changes(path: Path) -> list[Change]:
    """The changes of a file.

    Raises:
        UsageError: it is no list of changes, or not in the order of time; with path, line and key.
    """
    documents = read_documents(path)
    if not documents:
        return []
    document = documents[0]
    if len(documents) > 1:
        raise documents[1].error((), "a second document begins; one list of changes is expected")
    if not isinstance(document.value, list):
        raise document.error((), "a play is a list of changes", "Each has `at`, `verb` and `object` or `manifest`.")
    changes: list[Change] = []
    for index, item in enumerate(document.value):
        if not isinstance(item, dict):
            raise document.error((index,), "a change is a mapping with `at`, `verb` and `object` or `manifest`")
        entry = _entry(item, document, (index,))
        if changes and entry.at < changes[-1].at:
            text = f"{entry.at:g} comes before the change above it, which is at {changes[-1].at:g}"
            raise document.error((index, "at"), text, "Put the changes in the order of their times.")
        changes.append(Change(entry, document, (index,)))
    return changes


def changes_at_once(items: Sequence[Mapping[str, Any]], document: Document, place: Key) -> list[Change]:
    """Changes without a time that stand in a list somewhere in a file.

    Args:
        items: the changes.
        document: the file.
        place: the key of the list there.

    Raises:
        UsageError: one is none, or has a time; with path, line and key.
    """
    found = []
    for index, item in enumerate(items):
        if "at" in item:
            raise document.error((*place, index, "at"), "these changes are made at once", "Leave `at` out.")
        found.append(Change(_entry({"at": 0, **item}, document, (*place, index)), document, (*place, index)))
    return found


def drain(twin: Twin, node: str) -> None:
    """Evict the pods of a node as `kubectl drain --ignore-daemonsets --delete-emptydir-data` does.

    Pods that a disruption budget protects are tried again every five seconds.
    """
    left = False
    for pod in twin.store.list("Pod"):
        owner = controller_of(pod)
        if node_of(pod) != node or is_deleting(pod) or (owner is not None and owner["kind"] == "DaemonSet"):
            continue
        try:
            twin.cluster.evict(ObjectRef.of(pod))
        except TooManyRequestsError:
            left = True
    if left:
        twin.clock.after(_EVICTION_RETRY, lambda: drain(twin, node))


def _entry(item: Mapping[str, Any], document: Document, place: Key) -> ChangeEntry:
    try:
        return ChangeEntry.model_validate(item)
    except ValidationError as error:
        raise document.invalid(error, place) from error


def _ensure_namespace(twin: Twin, body: KubeObject) -> None:
    """A play needs no manifest for a namespace."""
    name = body["metadata"].get("namespace")
    if name and twin.store.get("Namespace", ("", name)) is None:
        twin.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        twin.advance(0.1)  # its service account
