from __future__ import annotations

import itertools

import pytest

from itbench.report.incident.spread import graph_of, in_short, percent, seconds, service_text
from itbench.twin.incident.impacts import Aspect, Impact
from itbench.twin.incident.simulate import Simulation


def test_the_graph_runs_from_each_root_to_the_users_side(simulation: Simulation) -> None:
    graph = graph_of(simulation.measured)
    column = {node.id: node.column for node in graph.nodes}
    assert column == {"root 0": 0, "root 1": 0, "store": 1, "reco": 1, "cart": 2, "front": 3}
    edges = {(edge.source, edge.target): (edge.spread, edge.text) for edge in graph.edges}
    assert edges["root 0", "store"] == ("acts", "")
    assert edges["store", "cart"] == ("errors", "errors 100 %")
    assert edges["cart", "front"] == ("errors", "errors 100 %")
    texts = {node.id: node.lines for node in graph.nodes}
    assert texts["root 0"] == ("store", "Deployment")
    assert texts["front"] == ("front", "100 % fail")


def test_nodes_of_a_column_do_not_overlap_and_no_band_is_empty(simulation: Simulation) -> None:
    graph = graph_of(simulation.measured)
    for column in range(graph.columns):
        rows = sorted(node.row for node in graph.nodes if node.column == column)
        assert all(later - earlier >= 0.999 for earlier, later in itertools.pairwise(rows))
    rows = sorted(node.row for node in graph.nodes)
    assert rows[0] == 0
    assert all(later - earlier <= 1.001 for earlier, later in itertools.pairwise(rows))


@pytest.mark.parametrize(
    ("aspect", "healthy", "peak", "text"),
    [
        ("errors", 0.0, 0.256, "26 % fail"),
        ("latency", 0.0123, 1.52, "12 ms → 1.5 s"),
        ("starved", 14.2, 1e-30, "14 → 0/s"),
        ("surge", 0.61, 6.4, "0.61 → 6.4/s"),
        ("missing", 2.0, 0.0, "2 → 0 ready"),
        ("surplus", 1.0, 4.0, "1 → 4 ready"),
        ("memory", 50 * 2**20, 120 * 2**20, "50 → 120 MiB"),
    ],
)
def test_a_node_says_what_is_wrong_in_few_words(aspect: Aspect, healthy: float, peak: float, text: str) -> None:
    assert in_short(Impact("x", aspect, 0, 60, healthy, peak)) == text


def test_the_most_telling_impact_decides() -> None:
    impacts = [
        Impact("x", "starved", 0, 60, 5, 1),
        Impact("x", "errors", 9, 60, 0, 0.5),
        Impact("y", "latency", 0, 60, 1, 2),
    ]
    assert service_text("x", impacts) == (("x", "50 % fail"), "errors")
    assert service_text("z", impacts) == (("z", ""), "none")


def test_numbers_have_two_digits() -> None:
    assert [percent(share) for share in (0.0, 0.004, 0.26, 1.0)] == ["0 %", "0.4 %", "26 %", "100 %"]
    assert [seconds(value) for value in (0.00012, 0.0123, 0.9999, 12.4, 120.0)] == [
        "0.12 ms",
        "12 ms",
        "1 s",
        "12 s",
        "120 s",
    ]
