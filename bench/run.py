#!/usr/bin/env python3
"""Cloakroom against redis-server: the same load, in turn, in one run.

    bench/run.py                       everything, about two hours
    bench/run.py --quick               everything, shorter and rougher, ten minutes
    bench/run.py --only set-p1 --only memory
    bench/run.py --only save --megabytes 500 --save build/figures.jsonl
    bench/run.py --list

Each figure is measured in rounds A B A B …, each on a fresh server pinned to core 0 while the load
runs on core 1. It prints the median of each server and the median of the rounds' ratios, so that a
machine that drifts affects both alike. CLOAKROOM_SERVER and REDIS_SERVER name the binaries.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import figures
import measure
import replication
import replication_figures
import report


class Progress:
    """One line that says what runs and how much time is left; prints nothing into a pipe."""

    def __init__(self, total):
        self._total, self._done, self._start = total, 0, time.monotonic()
        self._shown = sys.stderr.isatty()

    def step(self, what):
        if self._shown:
            spent = time.monotonic() - self._start
            left = spent / self._done * (self._total - self._done) if self._done else 0
            filled = 30 * self._done // self._total
            sys.stderr.write(f"\r\x1b[K[{'#' * filled}{'.' * (30 - filled)}] {self._done}/{self._total} "
                             f"{what}, {left / 60:.0f} min left")
            sys.stderr.flush()
        self._done += 1

    def end(self):
        if self._shown:
            sys.stderr.write("\r\x1b[K")


def ratio(ours, theirs):
    return ours / theirs if theirs and ours is not None else None


def median(values):
    """The median of the values that were measured; None when there is none."""
    measured = [value for value in values if value is not None]
    return statistics.median(measured) if measured else None


def scaled(row, value):
    """None stays None: a server did not get so far."""
    return None if value is None else value * row.scale


def row_result(run, row, rounds):
    """The medians over the rounds of one row."""
    pairs = [tuple(scaled(row, one[kind][row.key]) if kind in one else None
                   for kind in ("cloakroom", "redis")) for one in rounds]
    return {
        "run": run.name, "group": run.group, "row": row,
        "cloakroom": median(pair[0] for pair in pairs),
        "redis": median(pair[1] for pair in pairs),
        "ratio": median(ratio(*pair) for pair in pairs),
        "rounds": pairs,
    }


def measure_run(generator, run, rounds, extra, progress):
    """All rounds of one run. The order alternates, so that neither server is always the first."""
    done = []
    for index in range(rounds):
        one = {}
        for kind in run.servers if index % 2 == 0 else reversed(run.servers):
            progress.step(f"{run.name} on {kind}")
            own = {**run.own_directives, **extra} if kind == "cloakroom" else {}
            directives = {**run.directives, **own}
            one[kind] = measure_once(generator, kind, run, directives)
        done.append(one)
    return [row_result(run, row, done) for row in run.rows]


def measure_once(generator, kind, run, directives):
    if run.micro:
        return measure.measure_micro(run)
    if run.scenario:
        return replication.measure(generator, kind, run, directives)
    return measure.measure(generator, kind, run, directives)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="runs whose name starts so; may be repeated")
    parser.add_argument("--rounds", type=int, help="rounds of each run instead of its own number")
    parser.add_argument("--cloakroom", action="append", default=[], metavar="'NAME VALUE'",
                        help="a configuration line for Cloakroom alone")
    parser.add_argument("--json", action="store_true", help="all rounds as JSON on stdout")
    parser.add_argument("--svg", type=Path, help="also draw the ratios into this file")
    parser.add_argument("--save", type=Path, metavar="FILE",
                        help="also append each row to this file as soon as it is measured")
    parser.add_argument("--megabytes", type=int,
                        help="how much the runs save-*, rewrite-* and repl-full-sync hold, but for "
                             "save-set (2048; quick: 200, repl-full-sync 100)")
    parser.add_argument("--list", action="store_true", help="print the names of the runs")
    return parser.parse_args()


def as_values(one):
    """A row's result in types that JSON has."""
    return {"run": one["run"], "what": one["row"].name, "unit": one["row"].unit,
            "cloakroom": one["cloakroom"], "redis": one["redis"], "ratio": one["ratio"],
            "goal": report.goal_text(one["row"]), "met": report.meets_goal(one),
            "rounds": one["rounds"]}


def as_json(results):
    return json.dumps([as_values(one) for one in results], indent=1)


def keep(results, path):
    """Writes the rows of one run at once, because later runs may be interrupted."""
    for one in results:
        print(report.line(one), file=sys.stderr)
    if path is not None:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(as_values(one)) + "\n" for one in results)


def main():
    arguments = parse_arguments()
    runs = [run for module in (figures, replication_figures)
            for run in module.all_runs(arguments.quick, arguments.megabytes)
            if not arguments.only or any(run.name.startswith(name) for name in arguments.only)]
    if arguments.list:
        print("\n".join(run.name for run in runs))
        return 0
    if not runs:
        sys.exit("bench: no run has such a name; see --list")
    for kind in {kind for run in runs if not run.micro for kind in run.servers}:
        if not measure.servers.available(kind):
            sys.exit(f"bench: no program at {measure.servers.binary(kind)}")
    measure.raise_file_limit()
    generator = measure.build_generator()
    rounds = {run.name: arguments.rounds or (1 if arguments.quick else run.rounds) for run in runs}
    extra = dict(line.split(None, 1) for line in arguments.cloakroom)
    progress = Progress(sum(len(run.servers) * rounds[run.name] for run in runs))
    results, failures = [], []
    for run in runs:
        try:
            rows = measure_run(generator, run, rounds[run.name], extra, progress)
            progress.end()
            keep(rows, arguments.save)
            results += rows
        except (measure.RunFailed, measure.servers.ServerFailed) as error:
            failures.append(str(error))
    progress.end()
    print(as_json(results) if arguments.json else report.markdown(results))
    if arguments.svg:
        arguments.svg.write_text(report.svg(results))
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
