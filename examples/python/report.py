"""Reads the CSV tables in /in and below, and writes for each a JSON document of the same
name to /out: how many rows it has, and of each column of numbers the least, the most and
the mean. Ordinary Python, which knows nothing of plasm.
"""

import csv
import json
import pathlib
import statistics
import sys


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def describe(path):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {}
    for name in rows[0] if rows else []:
        values = [number(row[name]) for row in rows]
        if None not in values:
            columns[name] = {
                "min": min(values),
                "max": max(values),
                "mean": round(statistics.fmean(values), 3),
            }
    return {"rows": len(rows), "columns": columns}


def main():
    source, target = pathlib.Path("/in"), pathlib.Path("/out")
    tables = sorted(source.rglob("*.csv"))
    for path in tables:
        made = (target / path.relative_to(source)).with_suffix(".json")
        made.parent.mkdir(parents=True, exist_ok=True)
        table = describe(path)
        made.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
        print(f"{path.name}: {table['rows']} rows, {len(table['columns'])} columns of numbers")
    return 0 if tables else 1


if __name__ == "__main__":
    sys.exit(main())
