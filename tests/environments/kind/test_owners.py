"""Whose a kind cluster is."""

from __future__ import annotations

import subprocess
from dataclasses import replace

from itbench.environments.kind.owners import new_cluster_name, owner, owner_of


def test_a_cluster_tells_the_process_that_made_it() -> None:
    found = owner_of(new_cluster_name())
    assert found == owner()
    assert found is not None
    assert found.alive


def test_a_cluster_of_a_process_that_ended_has_no_owner_alive() -> None:
    process = subprocess.Popen(["sleep", "60"])
    found = owner(process.pid)
    assert found is not None
    assert found.alive
    process.kill()
    process.wait()
    assert not found.alive


def test_a_number_that_another_process_has_by_now_is_not_the_owner() -> None:
    ours = owner()
    assert ours is not None
    assert not replace(ours, started=ours.started - 1).alive
    assert not replace(ours, boot="00000000").alive


def test_clusters_of_others_are_none_of_ours() -> None:
    for name in ("kind", "live", "live-abc", "my-live-12345678-1-1-abcd", "live-12345678-1-1-abcd-x"):
        assert owner_of(name) is None


def test_names_are_good_for_hosts_and_say_nothing_of_the_harness() -> None:
    name = new_cluster_name()
    assert len(f"{name}-control-plane") <= 63
    assert "itbench" not in name
    assert name != new_cluster_name()
