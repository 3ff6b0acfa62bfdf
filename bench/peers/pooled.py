"""Several runs as one. Between two hours the memory of a virtual machine is up to twice as fast, and a ratio to a peer
moves by a third; so each figure here is the median of the runs', a ratio that of ratios which were each taken in one
interleaved run."""

import statistics

import goals


def middle(values):
    known = [value for value in values if value is not None]
    if len(set(known)) <= 1:
        return known[0] if known else None
    return round(statistics.median(known), 4)


def gathered(documents, section, key):
    """The rows of all documents by what they are of, in the order of the first document that has them."""
    rows = {}
    for document in documents:
        for row in document.get(section, []):
            rows.setdefault(key(row), []).append(row)
    return rows.values()


def numbers(rows):
    """The first row with the median of all rows in place of every number."""
    pooled = dict(rows[0])
    for field, value in pooled.items():
        if any(isinstance(row.get(field), (int, float)) for row in rows) and not isinstance(value, bool):
            pooled[field] = middle(row.get(field) for row in rows)
    return pooled


def point(rows):
    pooled = numbers(rows)
    names = dict.fromkeys(name for row in rows for name in row["peers"])
    pooled["peers"] = {name: middle(row["peers"].get(name) for row in rows) for name in names}
    pooled["best_peer"] = min(pooled["peers"], key=pooled["peers"].get)
    pooled["rounds"] = {name: sum(row["rounds"].get(name, 0) for row in rows)
                        for name in dict.fromkeys(name for row in rows for name in row["rounds"])}
    return pooled


def extras(documents):
    found = {}
    for document in documents:
        for name, values in document["extras"].items():
            for where, value in values.items():
                found.setdefault(name, {}).setdefault(where, []).append(value)
    return {name: {where: middle(values) for where, values in of.items()} for name, of in found.items()}


def judged(documents, points, found):
    """The goals at the pooled points, and between which values they moved from run to run."""
    rows = goals.judge(points, found)
    for i, row in enumerate(rows):
        each = [document["goals"][i]["measured"] for document in documents]
        known = [value for value in each if value is not None]
        row["least"], row["most"] = (min(known), max(known)) if known else (None, None)
    return rows


def pool(documents):
    if len(documents) == 1:
        return documents[0]
    if len({str(document["machine"]) + document["edition"] for document in documents}) > 1:
        raise SystemExit("bench-peers: these runs are of different machines or editions, and have no common figures")
    points = [point(rows) for rows in gathered(documents, "points", lambda row: (
        row["op"], row["ranks"], row["bytes"], row["registered"], row["mode"]))]
    found = extras(documents)
    first = documents[0]
    return {
        **first,
        "date": " and ".join(dict.fromkeys(document["date"] for document in documents)),
        "commit": ", ".join(dict.fromkeys(document["commit"] for document in documents)),
        "runs": len(documents), "took_s": sum(document["took_s"] for document in documents),
        "skipped": {name: why for document in documents for name, why in document["skipped"].items()},
        "faults": {what: why for document in documents for what, why in document["faults"].items()},
        "points": points,
        "between_hosts": [numbers(rows) for rows in gathered(documents, "between_hosts",
                                                             lambda row: (row["ranks"], row["bytes"]))],
        "extras": found, "goals": judged(documents, points, found),
    }
