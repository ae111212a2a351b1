"""Healthy sets of resources, drawn at random, that keep every rule of the bundled tasks.

What a rule leaves open varies from draw to draw: names, numbers, whether a default is written out, and whether a setting
stands at the pod or at each of its containers. A policy that has only learnt one set by heart does not get far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from itbench.compliance.fleets.access import access
from itbench.compliance.fleets.apiserver import apiserver
from itbench.compliance.fleets.host import host, host_root
from itbench.compliance.fleets.namespaces import namespaces, services
from itbench.compliance.fleets.workloads import some_workloads, workloads

Object = dict[str, Any]
OBJECTS: Mapping[str, Callable[[np.random.Generator], list[Object]]] = {
    "workloads": workloads,
    "some-workloads": some_workloads,
    "services": services,
    "rbac": access,
    "namespaces": namespaces,
    "apiserver": apiserver,
}
"""Fleets of Kubernetes objects."""

TEXTS: Mapping[str, Callable[[np.random.Generator], dict[str, str]]] = {"host": host, "host-root": host_root}
"""Fleets of text files, by path."""
