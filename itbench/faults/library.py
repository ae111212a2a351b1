"""The library: every fault of the public one, in the order of its numbers."""

from __future__ import annotations

from typing import Any

from itbench.faults.autoscaling import MisconfiguredAutoscaler
from itbench.faults.chaos import ChaosSchedule
from itbench.faults.containers import (
    InsufficientResources,
    InvalidCommand,
    ModifiedVariable,
    NoLimits,
    NonexistentImage,
    UnsupportedArchitecture,
    WrongReadinessProbe,
)
from itbench.faults.flags import FeatureFlag
from itbench.faults.init_containers import CrashingInitContainer, HangingInitContainer
from itbench.faults.mesh import DeniedMethods, DisabledMesh, StrictMutualTls
from itbench.faults.network import BlockedIngress, NodeNames
from itbench.faults.preemption import Preempted
from itbench.faults.protocol import Fault
from itbench.faults.quota import InsufficientQuota
from itbench.faults.scaling import ScaledToZero
from itbench.faults.scheduling import AntiAffinity, CordonedNode, NonexistentNode
from itbench.faults.secrets import CorruptedSecret
from itbench.faults.services import DeletedService, ModifiedTargetPort, WrongSelector
from itbench.faults.surge import RequestSurge
from itbench.faults.valkey import ChangedPassword, OutOfMemory
from itbench.faults.volumes import NonexistentVolume

LIBRARY: tuple[type[Fault[Any]], ...] = (
    CordonedNode,
    CrashingInitContainer,
    DisabledMesh,
    NodeNames,
    HangingInitContainer,
    BlockedIngress,
    InsufficientQuota,
    InsufficientResources,
    InvalidCommand,
    RequestSurge,
    MisconfiguredAutoscaler,
    WrongReadinessProbe,
    ModifiedVariable,
    ModifiedTargetPort,
    NonexistentImage,
    NonexistentNode,
    NonexistentVolume,
    FeatureFlag,
    Preempted,
    ScaledToZero,
    ChaosSchedule,
    StrictMutualTls,
    DeniedMethods,
    NoLimits,
    AntiAffinity,
    UnsupportedArchitecture,
    ChangedPassword,
    OutOfMemory,
    WrongSelector,
    DeletedService,
    CorruptedSecret,
)
