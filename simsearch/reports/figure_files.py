"""The figures of a report: drawn with a caption, stored as files, and shown in the page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from simsearch.reports.figures import save
from simsearch.snapshots.snapshot import Snapshot


@dataclass(frozen=True)
class CaptionedFigure:
    figure: Figure
    caption: str


@dataclass(frozen=True)
class PageFigure:
    """A figure as the page shows it; `source` is its address, which holds its bytes."""

    source: str
    caption: str


def store_figures(snapshot: Snapshot, figures: Mapping[str, CaptionedFigure]) -> list[PageFigure]:
    """Store the figures beside the report, each by its name as PNG and as SVG."""
    shown = []
    for name, drawn in figures.items():
        files = save(drawn.figure)
        for kind, data in files.items():
            snapshot.storage.write_bytes(snapshot.path(f"report/{name}.{kind}"), data)
        shown.append(PageFigure(png_address(files["png"]), drawn.caption))
    return shown


def png_address(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()
