"""Finding kind and the files that `make kind-node-image` and `make kind-service-image` leave."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from itbench.model.errors import ClusterError


def kind_cache() -> Path:
    """$XDG_CACHE_HOME/itbench/kind, or ~/.cache/itbench/kind."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "itbench" / "kind"


def kind_program() -> Path:
    """The program kind: from PATH, or built by `make kind-node-image`.

    Raises:
        ClusterError: it is nowhere.
    """
    for folder in (None, str(kind_cache() / "bin")):
        found = shutil.which("kind", path=folder)
        if found is not None:
            return Path(found).resolve()
    raise ClusterError(
        "--env kind needs the program kind, which was not found",
        hint="go install sigs.k8s.io/kind@v0.30.0, or make kind-node-image, which builds it too.",
    )
