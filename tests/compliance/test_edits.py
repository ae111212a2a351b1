from __future__ import annotations

import numpy as np
import pytest

from itbench.compliance.edits import apply, parse_edit


def cron() -> dict:
    spec = {"containers": [{"name": "a"}, {"name": "b"}]}
    return {"kind": "CronJob", "metadata": {"name": "x"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}


def spec_after(*edits: str, target: dict | None = None) -> dict:
    target = target or cron()
    for edit in edits:
        apply(parse_edit(edit), target, np.random.default_rng(1))
    return target["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_the_pod_is_found_in_the_template_of_a_cron_job() -> None:
    assert spec_after("pod hostNetwork = true")["hostNetwork"] is True


def test_an_init_container_is_made_where_there_is_none() -> None:
    spec = spec_after("init securityContext.privileged = true")
    assert spec["initContainers"] == [{"name": "prepare", "securityContext": {"privileged": True}}]
    assert "securityContext" not in spec["containers"][0]


def test_each_means_containers_of_every_kind() -> None:
    spec = spec_after('init image = "x"', "each image = y")
    assert [container["image"] for container in spec["containers"] + spec["initContainers"]] == ["y", "y", "y"]


def test_deleting_what_is_absent_changes_nothing() -> None:
    assert spec_after("each securityContext.runAsUser -") == spec_after()


def test_quoted_parts_may_hold_dots_and_lists_are_appended_to() -> None:
    target = cron()
    spec_after('object metadata.labels."a.b/c" = x', "object metadata.list += 1", "object metadata.list += 2", target=target)
    assert target["metadata"] == {"name": "x", "labels": {"a.b/c": "x"}, "list": [1, 2]}


@pytest.mark.parametrize("text", ["hostNetwork = true", "pod hostNetwork", "pod = x", "", "one a.b =="])
def test_what_is_no_edit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an edit"):
        parse_edit(text)
