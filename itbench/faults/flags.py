"""The fault of a feature flag: what the OpenTelemetry demo breaks by itself when it is told to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from itbench.cluster.protocol import Cluster, KubeObject
from itbench.cluster.reference import ObjectRef
from itbench.faults.arguments import Arguments, KubernetesObject, Text, near
from itbench.faults.fields import rewritten
from itbench.faults.fixes import Fix, Restart, SetBack
from itbench.faults.lookup import find
from itbench.faults.pacing import Pacer
from itbench.faults.protocol import Fault, Operation
from itbench.model.errors import FaultError

if TYPE_CHECKING:
    from numpy.random import Generator

_USUAL_KEY = "demo.flagd.json"
_SERVER = "flagd"


class ConfigMapObject(KubernetesObject):
    """A ConfigMap."""

    apiVersion: Literal["v1"]  # noqa: N815  the API's own word
    kind: Literal["ConfigMap"]


class Flag(Arguments):
    """A flag, and the variant that it shall have."""

    name: Text
    state: Text


class FlagArguments(Arguments):
    """A ConfigMap with flags, and one of them."""

    kubernetesObject: ConfigMapObject  # noqa: N815
    flag: Flag


class FeatureFlag(Fault[FlagArguments]):
    """Switched on."""

    id = "opentelemetry-demo-feature-flag"
    number = 18
    title = "Feature flag of the OpenTelemetry demo"
    description = (
        "Sets the default variant of a flag in the document that flagd serves from a ConfigMap; what follows depends on the "
        "flag. flagd reads the document anew within a minute, or at once when it is restarted."
    )
    departure = (
        "A flag or a variant that the document does not have is an error. Restarting flagd is enough of a fix; theirs "
        "restarts every Deployment. Two flags of one ConfigMap are two fields, and are undone one by one."
    )
    model: ClassVar[type[Arguments]] = FlagArguments

    @property
    def ref(self) -> ObjectRef:
        """The ConfigMap."""
        return self.args.kubernetesObject.ref

    def check(self, cluster: Cluster) -> None:
        """The flag and its variant must be there."""
        _, _, flags = self._document(find(cluster, self.ref))
        name, state = self.args.flag.name, self.args.flag.state
        if name not in flags:
            hint = near(name, flags, "There are")
            raise FaultError(f"{self.ref} has no flag {name!r}", key="flag.name", hint=hint)
        variants = flags[name].get("variants") or {}
        if state not in variants:
            hint = near(state, map(str, variants), "There are")
            raise FaultError(f"flag {name} has no variant {state!r}", key="flag.state", hint=hint)
        if flags[name].get("defaultVariant") == state:
            raise FaultError(f"flag {name} is {state!r} already", key="flag.state")

    def change(self, operation: Operation, pacer: Pacer, rng: Generator) -> tuple[ObjectRef, ...]:  # noqa: ARG002
        """Set the variant."""

        def switch(config: KubeObject) -> None:
            key, document, flags = self._document(config)
            flags[self.args.flag.name]["defaultVariant"] = self.args.flag.state
            config["data"][key] = rewritten(config["data"][key], document)

        return (operation.edit(self.ref, switch),)

    def fixes(self) -> tuple[Fix, ...]:
        """Switch it back, and let flagd read it."""
        server = ObjectRef("Deployment", _SERVER, self.ref.namespace, "apps/v1")
        text = f"Edit {self.ref}: set flag {self.args.flag.name} back, and restart {server}."
        return (Fix(text=text, steps=(SetBack(object=self.ref), Restart(object=server))),)

    def _document(self, config: KubeObject) -> tuple[str, Any, dict[str, Any]]:
        """The key of the document with the flags, the document, and its flags."""
        data = config.get("data") or {}
        for key in sorted(data, key=lambda name: (name != _USUAL_KEY, name)):
            try:
                document = json.loads(data[key])
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict) and isinstance(document.get("flags"), dict):
                return key, document, document["flags"]
        raise FaultError(f"{self.ref} has no document with flags", key="kubernetesObject.metadata.name")
