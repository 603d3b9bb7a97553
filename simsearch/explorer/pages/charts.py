"""The recovery charts as SVG. The page's own files style them and respond to the pointer.

They are made on the server, so that they need no script, can be printed, and have a link on every bar. No
style is inline, as the Content-Security-Policy demands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from simsearch.reading.recovery import MeanScore

WIDTH, HEIGHT = 880, 340
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 44
COLOURS = 8  # series styled in explorer.css; further ones repeat them
WHISKER = 4

Link = Callable[[MeanScore], str]


def curves(series: Mapping[str, Sequence[MeanScore]], order: Sequence[str]) -> Markup:
    """A metric against k: a line per space with 95 % whiskers, and a dashed ceiling."""
    ks = sorted({score.k for line in series.values() for score in line})
    if not ks:
        return Markup("")
    step = (WIDTH - LEFT - RIGHT) / len(ks)
    places = {k: LEFT + step * (number + 0.5) for number, k in enumerate(ks)}
    parts = [_axis(), *(_label(places[k], f"k = {k}") for k in ks)]
    ceiling = {score.k: score.ceiling for line in series.values() for score in line}
    points = " ".join(f"{places[k]:.1f},{_y(ceiling[k]):.1f}" for k in ks)
    parts.append(Markup('<polyline class="ceiling" points="{}"/>').format(points))
    spread = min(14.0, step / (2 * len(series)))
    for space, line in series.items():
        shift = (order.index(space) - (len(order) - 1) / 2) * spread
        drawn = [(places[score.k] + shift, score) for score in line]
        path = " ".join(f"{x:.1f},{_y(score.mean):.1f}" for x, score in drawn)
        inner = [Markup('<polyline class="line" points="{}"/>').format(path)]
        inner += [_dot(x, score) for x, score in drawn]
        parts.append(_series(space, order, inner))
    return _svg(parts, "Line chart; the table below holds the same numbers")


def bars(groups: Mapping[str, Sequence[MeanScore]], order: Sequence[str], link: Link) -> Markup:
    """The recovered share per profile: a bar per space, which links to the copies that were not found."""
    if not groups:
        return Markup("")
    step = (WIDTH - LEFT - RIGHT) / len(groups)
    width = min(46.0, step * 0.8 / max(1, len(order)))
    parts = [_axis()]
    drawn: dict[str, list[Markup]] = {space: [] for space in order}
    for number, (group, measured) in enumerate(groups.items()):
        middle = LEFT + step * (number + 0.5)
        parts.append(_label(middle, group))
        for score in measured:
            x = middle + (order.index(score.space) - len(order) / 2) * width
            drawn[score.space].append(_bar(x, width, score, link(score)))
    parts += [_series(space, order, inner) for space, inner in drawn.items()]
    return _svg(parts, "Bar chart; every bar leads to the copies that were not found")


def _svg(parts: Sequence[Markup], label: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="group" aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, label, Markup("").join(parts))


def _series(space: str, order: Sequence[str], inner: Sequence[Markup]) -> Markup:
    return Markup('<g class="series series-{}" data-series="{}">{}</g>').format(
        order.index(space) % COLOURS, space, Markup("").join(inner)
    )


def _axis() -> Markup:
    lines = []
    for tenths in (0, 2, 4, 6, 8, 10):
        y = _y(tenths / 10)
        lines.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:.1f}</text>'
            ).format(LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, tenths / 10)
        )
    return Markup("").join(lines)


def _label(x: float, text: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
        x, HEIGHT - BOTTOM + 22, text
    )


def _dot(x: float, score: MeanScore) -> Markup:
    return Markup(
        '<g class="mark" data-tip="{}"><title>{}</title>{}'
        '<circle cx="{:.1f}" cy="{:.1f}" r="5"/></g>'
    ).format(_tip(score), _tip(score), _whisker(x, score), x, _y(score.mean))


def _bar(x: float, width: float, score: MeanScore, href: str) -> Markup:
    top, base = _y(score.mean), _y(0)
    return Markup(
        '<a class="mark" href="{}" data-tip="{}" aria-label="{}: show the copies not found">'
        '<rect class="reach" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>'
        '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        '<line class="ceiling" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>{}</a>'
    ).format(
        href, _tip(score), _tip(score),
        x, TOP, width, base - TOP,
        x + 2, top, width - 4, max(1.0, base - top),
        x, x + width, _y(score.ceiling), _y(score.ceiling),
        _whisker(x + width / 2, score),
    )  # fmt: skip


def _whisker(x: float, score: MeanScore) -> Markup:
    low, high = _y(score.low), _y(score.high)
    return Markup(
        '<path class="whisker" d="M{:.1f} {:.1f}V{:.1f}M{:.1f} {:.1f}h{}M{:.1f} {:.1f}h{}"/>'
    ).format(
        x, low, high, x - WHISKER, low, 2 * WHISKER, x - WHISKER, high, 2 * WHISKER
    )  # fmt: skip


def _tip(score: MeanScore) -> str:
    group = "" if score.group == "all" else f", {score.group}"
    return f"{score.space}{group}, k = {score.k}: {score.words}"


def _y(value: float) -> float:
    return TOP + (1 - min(1.0, max(0.0, value))) * (HEIGHT - TOP - BOTTOM)
