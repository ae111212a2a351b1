"""Makes matplotlib's SVG small, and fit to stand in a page beside others: own ids, no metadata, no page-wide style."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<style[^>]*>.*?</style>", re.DOTALL)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_ID = re.compile(r'\s+id="([^"]+)"')
_USE = re.compile(r'(url\(#|href="#)([^)"]+)')
_NUMBERS = re.compile(r'\b(d|x|y|cx|cy|width|height|transform|points)="([^"]*)"')
_FONT = re.compile(r"font-family: ([^;\"]+);\s*")
_UNTURNED = re.compile(r' transform="rotate\(-0 [^)]*\)"')
_LONG = re.compile(r"-?\d+\.\d{3,}")


def tidy(text: str, *, prefix: str, title: str) -> str:
    """The same drawing with a title for those who hear it.

    Args:
        text: as matplotlib wrote it, with `svg.fonttype` none.
        prefix: of the ids that remain: other drawings in one page have others.
        title: of the drawing.
    """
    for pattern in (_METADATA, _STYLE, _COMMENT):
        text = pattern.sub("", text)
    fonts = sorted({match[1].replace("'", "") for match in _FONT.finditer(text)})
    if len(fonts) == 1:  # said once
        text = _FONT.sub("", text)
    text = _UNTURNED.sub("", text)
    used = {match[2] for match in _USE.finditer(text)}
    text = _ID.sub(lambda match: f' id="{prefix}-{match[1]}"' if match[1] in used else "", text)
    text = _USE.sub(lambda match: f"{match[1]}{prefix}-{match[2]}", text)
    text = _NUMBERS.sub(lambda match: f'{match[1]}="{_LONG.sub(_rounded, match[2])}"', text)
    head, mark, rest = text.partition("<svg ")
    attributes, _, body = rest.partition(">")
    font = f'font-family="{escape(fonts[0])}" ' if len(fonts) == 1 else ""
    return f'{head}{mark}role="img" {font}stroke-linejoin="round" {attributes}>\n<title>{escape(title)}</title>{body}'


def inline(text: str) -> str:
    """Only the element, to stand in a page."""
    return text[text.index("<svg ") :]


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
