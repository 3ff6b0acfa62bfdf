"""A run as Markdown: the machine, the goals, a table of the points, what was left out."""

from plan import size_text

NAMES = {"openmpi": "Open MPI", "openmpi_sm": "Open MPI, coll/sm", "mpich": "MPICH", "gloo": "Gloo",
         "torch_gloo": "PyTorch, Gloo", "oneccl": "oneCCL"}
VERDICTS = {"aim": "yes, aim", "ok": "yes", "missed": "**no**", "unknown": "–"}


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(head, rows):
    return "\n".join([row(head), row(["---"] * len(head))] + [row(cells) for cells in rows])


def number(value):
    """Three significant digits, and no exponent."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def bounded(value, unit):
    return f"<= {value:g}" + (f" {unit}" if unit else "")


def goals(document):
    are_several = document.get("runs", 1) > 1
    head = ["goal", "must", "aim", "measured", *(["single runs"] if are_several else []), "worst at", "ok"]
    rows = []
    for goal in document["goals"]:
        span = [f"{number(goal['least'])} to {number(goal['most'])}"] if are_several else []
        rows.append([goal["goal"], bounded(goal["must"], goal["unit"]), bounded(goal["aim"], goal["unit"]),
                     number(goal["measured"]), *span, goal["where"], VERDICTS[goal["verdict"]]])
    return table(head, rows)


def points(document):
    peers = [name for name in NAMES if any(name in point["peers"] for point in document["points"])]
    head = ["operation", "ranks", "size", "placement", "buffers", "ours"] + [NAMES[name] for name in peers] + \
        ["limit", "ours / best peer", "ours / best MPI", "ours / limit"]
    rows = [[point["op"], point["ranks"], size_text(point["bytes"]) if point["bytes"] else "–", point["mode"],
             "registered" if point["registered"] else "plain", number(point["ours_us"])]
            + [number(point["peers"].get(name)) for name in peers]
            + [number(point["limit_us"])] + [number(point[field]) for field in
                                              ("ratio", "ratio_to_best_mpi", "ratio_to_limit")]
            for point in document["points"]]
    return table(head, rows)


def between_hosts(document):
    rows = document.get("between_hosts")     # runs that were saved before have none
    if not rows:
        return []
    return ["", "## Between two network namespaces", "", "all_reduce, microseconds.", "",
            table(["ranks", "size", "ours", "Gloo's minimum", "Gloo's median", "ours / Gloo's minimum"],
                  [[row["ranks"], size_text(row["bytes"]), number(row["ours_us"]), number(row["gloo_min_us"]),
                    number(row["gloo_us"]), number(row["ours_us"] / row["gloo_min_us"])] for row in rows])]


def render(document):
    machine = document["machine"]
    versions = ", ".join(f"{NAMES[name]} {version}" for name, version in document["versions"].items())
    runs = f", medians of {document['runs']} runs" if document.get("runs", 1) > 1 else ""
    lines = [f"{document['date']}{runs}, {machine['processor']}, {machine['processors']} processors, "
             f"{machine['memory_gib']} GiB, Linux {machine['kernel']}, {machine['system']}; "
             f"ParallelState {document['commit']}; {versions}.", "",
             "## Goals", "", goals(document), "",
             "## Points", "", "Medians in microseconds.", "", points(document)]
    lines += between_hosts(document)
    left_out = [f"- {NAMES.get(name, name)}: {why}" for name, why in document["skipped"].items()]
    left_out += [f"- failed: {what}: {why}" for what, why in document["faults"].items()]
    if left_out:
        lines += ["", "## Left out", ""] + left_out
    return "\n".join(lines) + "\n"
