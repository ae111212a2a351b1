from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from itbench.bundled import bundled
from itbench.mast.taxonomy import load_taxonomy, read_taxonomy, translate, versions
from itbench.model.errors import DatasetError, UsageError

NOWHERE = {"name": "n", "code": "9.9", "certain": True}
V3 = bundled("evaluators") / "mast" / "mast-v3.yaml"


def changed(tmp_path: Path, **keys: object) -> Path:
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(V3.read_text()) | keys, sort_keys=False))
    return path


def test_the_fourteen_modes_of_the_paper():
    taxonomy = load_taxonomy()
    assert taxonomy.codes == tuple("1.1 1.2 1.3 1.4 1.5 2.1 2.2 2.3 2.4 2.5 2.6 3.1 3.2 3.3".split())
    assert [mode.code for mode in taxonomy.modes if mode.applies_to == "multi"] == ["1.2", "2.4", "2.5"]
    assert taxonomy.version in versions()


def test_versions_stand_beside_each_other(tmp_path):
    other = load_taxonomy(str(changed(tmp_path, version="mast-v4")))
    assert (other.version, load_taxonomy().version) == ("mast-v4", "mast-v3")


def test_an_unknown_version_names_those_that_exist():
    with pytest.raises(UsageError, match="mast-v3"):
        load_taxonomy("mast-v9")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"categories": {"FC1": "x", "FC2": "y"}}, "category 'FC3'"),
        ({"version": "Has Spaces"}, "version"),
        ({"surplus": 1}, "surplus"),
        ({"label_sets": {"x": {"title": "t", "keyed_by": "name", "labels": [NOWHERE]}}}, "9.9"),
    ],
)
def test_a_wrong_taxonomy_is_refused_with_its_place(tmp_path, keys, said):
    with pytest.raises(DatasetError, match=said) as raised:
        read_taxonomy(changed(tmp_path, **keys))
    assert raised.value.path
    assert raised.value.line


def test_two_modes_cannot_share_a_code(tmp_path):
    modes = yaml.safe_load(V3.read_text())["modes"]
    modes[1]["code"] = "1.1"
    with pytest.raises(DatasetError, match=r"two modes have the code '1\.1'"):
        read_taxonomy(changed(tmp_path, modes=modes))


@pytest.mark.parametrize(
    ("label", "label_set", "code"),
    [
        ("1.3", None, "1.3"),
        ("step-repetition", None, "1.3"),
        ("Step Repetition", None, "1.3"),
        ("2.5 Ignored Other Agent's Input", None, "2.5"),
        ("3.2", "verification-swapped", "3.3"),
        ("3.3", "verification-swapped", "3.2"),
        ("1.3", "verification-swapped", "1.3"),
        ("3.4 Lack of result verification\nThe agent never…", "mast-data-rounds", "3.3"),
        ("1.1 Step repetition", "mast-data-rounds", "1.3"),
        ("2.9 Backtracking interruption", "mast-data-rounds", None),
    ],
)
def test_labels_of_others_are_translated(label, label_set, code):
    assert translate(load_taxonomy(), label, label_set).code == code


def test_a_code_of_an_older_round_is_not_taken_for_ours():
    with pytest.raises(DatasetError, match="no label"):
        translate(load_taxonomy(), "1.3 Something that nobody listed", "mast-data-rounds")


def test_a_label_outside_the_set_is_refused():
    with pytest.raises(DatasetError, match=r"no label '1\.6'"):
        translate(load_taxonomy(), "1.6")
