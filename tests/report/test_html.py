from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

from itbench.model.summary import Summary
from itbench.report.html import Drawing, html_page
from itbench.report.intervals import intervals
from itbench.report.scorecard import sections

MakeSummary = Callable[..., Summary]
SVG = "{http://www.w3.org/2000/svg}"
_VOID = {"meta", "br"}


class Nesting(HTMLParser):
    """Fails where tags are not closed in their order; keeps the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def read(page: str) -> Nesting:
    found = Nesting()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


def test_the_page_is_well_formed_and_has_every_figure(make_summary: MakeSummary) -> None:
    page = html_page(make_summary("a0", "a1"))
    texts = read(page).texts
    for text in ("SRE: 2 scenarios, 4 trials per agent", "root cause F1", "0.50", "[0.25, 0.75]", "3 of 4", "odd<metric>"):
        assert text in texts
    assert "Run monday: a0, a1" in texts
    assert "By complexity" in texts


def test_what_is_in_names_is_shown_and_never_run(make_summary: MakeSummary) -> None:
    page = html_page(make_summary("<script>alert(1)</script>", "b", notices=("<img src=x onerror=alert(2)>",)))
    texts = read(page).texts
    assert "<script>" not in page
    assert "<img" not in page
    assert "<script>alert(1)</script>" in texts
    assert "<img src=x onerror=alert(2)>" in texts


def test_pictures_stand_in_the_page_and_the_first_is_open(make_summary: MakeSummary) -> None:
    page = html_page(
        make_summary("a"), [Drawing("One & two", "<svg><title>x</title></svg>"), Drawing("Three", "<svg></svg>")]
    )
    texts = read(page).texts
    assert "One & two" in texts
    assert page.count('<details class="incident"') == 2
    assert page.count('<details class="incident" open>') == 1
    assert "Incidents" not in read(html_page(make_summary("a"))).texts


def test_the_page_needs_nothing_from_elsewhere(make_summary: MakeSummary) -> None:
    page = html_page(make_summary("a")).replace("http://www.w3.org/2000/svg", "")
    assert "http" not in page
    assert "src=" not in page


def test_a_dot_lies_where_its_mean_is_and_its_line_spans_the_interval(make_summary: MakeSummary) -> None:
    (section,) = sections(make_summary("a"))
    root = ElementTree.fromstring(intervals(section))
    dots = [float(dot.attrib["cx"]) for dot in root.iter(f"{SVG}circle")]
    zero, one = 250.0, 670.0
    assert dots == [one, zero + 0.5 * (one - zero)]  # recall, then F1
    spans = [path.attrib["d"] for path in root.iter(f"{SVG}path") if "opacity" in path.attrib]
    assert spans == ["M355.0 34.0H565.0"]  # recall has no width


def test_many_agents_have_the_leading_metrics_alone(make_summary: MakeSummary) -> None:
    (section,) = sections(make_summary(*(f"agent-{number}" for number in range(20))))
    texts = ["".join(text.itertext()) for text in ElementTree.fromstring(intervals(section)).iter(f"{SVG}text")]
    assert texts.count("agent-19") == 2
    assert "root cause F1" in texts


def test_an_unknown_mean_is_a_dash_and_nothing_known_is_no_drawing(make_summary: MakeSummary) -> None:
    (section,) = sections(make_summary("a", mean=None))
    assert "root cause F1" not in intervals(section)
    assert intervals(replace(section, figures=())) == ""
