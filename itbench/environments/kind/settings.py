"""environments/kind/cluster.yaml: what the clusters are made of, and how long things may take."""

from __future__ import annotations

from functools import cache

from pydantic import Field

from itbench.bundled import bundled
from itbench.datasets.shipped import read_shipped
from itbench.model.base import Document, Model


class Waits(Model):
    """Seconds after which waiting is given up; each wait ends as soon as what it waits for is there.

    Attributes:
        ready: for the cluster.
        healthy: for the application, before anything is broken.
        manifested: for the incident to show.
        recovered: for the services to serve after the agent has changed something.
        undone: for the application to be as it was, after the faults were taken back.
    """

    ready: float = Field(gt=0)
    healthy: float = Field(gt=0)
    manifested: float = Field(gt=0)
    recovered: float = Field(gt=0)
    undone: float = Field(gt=0)


class KindSettings(Document):
    """The clusters of `--env kind`.

    Attributes:
        published: kind's own node image.
        built: the one that `make kind-node-image` makes.
        workers: nodes besides the control plane.
        load: share of the application file's load that is made.
        waits: how long to wait for what.
        window: seconds for which an application must be well.
        look: seconds between two looks.
        absent: faults by id that these clusters cannot have, and what is missing for them.
    """

    published: str
    built: str
    workers: int = Field(ge=0, le=16)
    load: float = Field(gt=0, le=10)
    waits: Waits
    window: float = Field(gt=0)
    look: float = Field(gt=0)
    absent: dict[str, str] = Field(default_factory=dict)


@cache
def load_kind_settings() -> KindSettings:
    """The settings that ship.

    Raises:
        DatasetError: the file is broken.
    """
    return read_shipped(bundled("environments") / "kind" / "cluster.yaml", KindSettings, "docs/kind.md describes it.")
