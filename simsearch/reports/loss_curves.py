"""The curves of a training's losses as SVG, for the report and the explorer.

Their style is in the style sheet of each: no presentation is inline, as the explorer's
Content-Security-Policy has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from simsearch.reading.training_log import loss_name


def loss_curves(epochs: Sequence[Mapping[str, float]]) -> list[tuple[str, Markup]]:
    """A small curve for each loss against the epoch, by the loss' name. Each has its own scale, and its
    first, lowest and last value in words."""
    if not epochs:
        return []
    names = [name for name in epochs[0] if name not in ("epoch", "seconds")]
    return [(loss_name(name), _curve([row[name] for row in epochs])) for name in names]


def _curve(values: Sequence[float]) -> Markup:
    width, height, edge = 300, 110, 6
    low, high = min(values), max(values)
    step = (width - 2 * edge) / max(1, len(values) - 1)
    places = [
        (
            edge + step * number,
            edge + (height - 2 * edge) * (1 - (value - low) / (high - low or 1)),
        )
        for number, value in enumerate(values)
    ]
    words = (
        f"{len(values)} epochs: {values[0]:,.4g} at first, {low:,.4g} at the lowest, "
        f"{values[-1]:,.4g} at the end"
    )
    return Markup(
        '<svg class="loss" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline class="line" points="{}"/>{}</svg><p class="soft">{}</p>'
    ).format(
        width,
        height,
        words,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in places),
        Markup("").join(
            Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3"/>').format(x, y) for x, y in places
        )
        if len(places) < 40
        else "",
        words,
    )
