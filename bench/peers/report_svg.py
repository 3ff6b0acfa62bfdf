"""A run as SVG: a panel an operation, latency over size, both logarithmic; ours, the peers and the limit as lines."""

import math
from xml.sax.saxutils import escape

from plan import size_text
from report_markdown import NAMES, number

# Colours that remain apart for colour-blind readers; dashes say the same once more.
STYLES = {
    "ours": ("#d55e00", "", 3), "ours_registered": ("#d55e00", "6 3", 3), "openmpi": ("#0072b2", "", 1.6),
    "openmpi_sm": ("#0072b2", "6 3", 1.6), "mpich": ("#009e73", "", 1.6), "oneccl": ("#cc79a7", "", 1.6),
    "gloo": ("#8a6d00", "", 1.6), "torch_gloo": ("#8a6d00", "6 3", 1.6), "limit": ("#777777", "2 3", 1.6),
}
LABELS = {**NAMES, "ours": "ParallelState", "ours_registered": "ParallelState, registered", "limit": "limit"}
WIDTH, HEIGHT, LEFT, TOP, COLUMNS, HEAD = 400, 280, 66, 34, 3, 64
LABEL_WIDTH = 42
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - 30, HEIGHT - TOP - 44


def panels(points):
    """(title, {series: {bytes: microseconds}}) for every operation at the placement that has most of its points."""
    kinds = {}
    for point in points:
        if point["bytes"]:
            kinds.setdefault((point["op"], point["ranks"]), {}).setdefault(point["mode"], []).append(point)
    for (op, ranks), modes in kinds.items():
        mode, chosen = max(modes.items(), key=lambda item: len(item[1]))
        series = {}
        for point in chosen:
            size = point["bytes"]
            series.setdefault("ours_registered" if point["registered"] else "ours", {})[size] = point["ours_us"]
            for name, value in point["peers"].items():
                series.setdefault(name, {})[size] = value
            if point["limit_us"]:
                series.setdefault("limit", {})[size] = point["limit_us"]
        yield f"{op}, {ranks} ranks, {mode}", series


class Scale:
    """A logarithmic axis; one value alone stands in its middle."""

    def __init__(self, values, start, length):
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        self.start, self.length = start, length

    def __call__(self, value):
        if self.high == self.low:
            return round(self.start + self.length / 2, 1)
        return round(self.start + self.length * (math.log10(value) - self.low) / (self.high - self.low), 1)


def text(x, y, words, anchor="start", kind="label"):
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def panel(title, series, left, top):
    sizes = sorted({size for values in series.values() for size in values})
    times = [value for values in series.values() for value in values.values() if value > 0]
    floor, ceiling = 10 ** math.floor(math.log10(min(times))), 10 ** math.ceil(math.log10(max(times)) + 1e-9)
    across = Scale(sizes, left + LEFT, PLOT_WIDTH)
    upward = Scale([floor, ceiling], top + TOP + PLOT_HEIGHT, -PLOT_HEIGHT)
    parts = [text(left + LEFT, top + 22, title, kind="title"),
             f'<rect class="frame" x="{left + LEFT}" y="{top + TOP}" width="{PLOT_WIDTH}" height="{PLOT_HEIGHT}"/>']
    decade = floor
    while decade <= ceiling * 1.001:
        y = upward(decade)
        parts.append(f'<path class="grid" d="M{left + LEFT} {y}H{left + LEFT + PLOT_WIDTH}"/>')
        parts.append(text(left + LEFT - 6, y + 4, f"{decade:,.0f}" if decade >= 1 else f"{decade:g}", "end"))
        decade *= 10
    free_until = math.inf
    for size in reversed(sizes):   # the largest is always named
        if across(size) <= free_until:
            parts.append(text(across(size), top + TOP + PLOT_HEIGHT + 16, size_text(size), "middle"))
            free_until = across(size) - LABEL_WIDTH
    for name in reversed(STYLES):   # ours is drawn last, on top
        if name in series:
            parts.append(line(name, series[name], across, upward))
    return "\n".join(parts)


def line(name, values, across, upward):
    colour, dashes, width = STYLES[name]
    places = [(across(size), upward(value), size, value) for size, value in sorted(values.items()) if value > 0]
    path = "M" + "L".join(f"{x} {y}" for x, y, _, _ in places)
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="{width + 0.8}" fill="{colour}"><title>'
                   f'{escape(LABELS[name])}, {size_text(size)}: {number(value)} us</title></circle>'
                   for x, y, size, value in places)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>{dots}'


def legend(names, width):
    parts, x, y = [], 20, 48
    for name in names:
        colour, dashes, stroke = STYLES[name]
        needed = 46 + 7.2 * len(LABELS[name])
        if x + needed > width:
            x, y = 20, y + 18
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(f'<path d="M{x} {y}h26" stroke="{colour}" stroke-width="{stroke}"{dash}/>')
        parts.append(text(x + 32, y + 4, LABELS[name]))
        x += needed
    return "\n".join(parts), y


def render(document):
    shown = list(panels(document["points"]))
    columns = min(COLUMNS, max(1, len(shown)))
    width = columns * WIDTH if shown else 2 * WIDTH
    names = [name for name in STYLES if any(name in series for _, series in shown)]
    key, bottom = legend(names, width)
    head = bottom + HEAD - 48
    height = head + -(-len(shown) // columns) * HEIGHT
    machine = document["machine"]
    title = f"Microseconds over bytes; {machine['processor']}, {machine['processors']} processors, {document['date']}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="Helvetica, Arial, sans-serif" font-size="12" role="img">',
             f"<title>{escape(title)}</title>",
             "<style>.title { font-weight: bold; font-size: 14px; fill: #1d2b38 } .label { fill: #45535f } "
             ".frame { fill: none; stroke: #33475b } .grid { stroke: #dde3e8; fill: none }</style>",
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>', text(20, 26, title, kind="title"), key]
    for index, (words, series) in enumerate(shown):
        parts.append(panel(words, series, index % columns * WIDTH, head + index // columns * HEIGHT))
    return "\n".join(parts + ["</svg>"]) + "\n"
