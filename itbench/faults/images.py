"""Images that faults bring: all but one kind of fault needs them to exist."""

from __future__ import annotations

BUSYBOX = "docker.io/library/busybox:1.37.0"
CURL = "docker.io/curlimages/curl:8.11.1"
AGENT = "docker.io/fluent/fluent-bit:3.2.4"

IMAGES = frozenset({BUSYBOX, CURL, AGENT})
"""What a registry must have so that faults do what they say; a simulated one is stocked with these."""

# Published for one architecture each, by the maintainers of the official images.
ONLY_FOR = {"amd64": "docker.io/amd64/busybox:1.37.0", "arm64": "docker.io/arm64v8/busybox:1.37.0"}
