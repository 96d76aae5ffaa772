#!/usr/bin/env python3
"""The same load on StickyIngress, a bare YARP forwarder, nginx and HAProxy, in one run on loopback.

Each proxy has core 0 for itself; client (wrk) and backends share core 1. The figure that counts is CPU time per request, read from
/proc/PID/stat over the measured seconds: it is steadier than requests per second. Every proxy is warmed up first.

    tests/load/load.py [--fast] [--only NAME,...] [--parts NAME,...] [--results] [--docs]

Without arguments: everything, about an hour. --fast: the row that counts most, in about a minute.
"""
import argparse
import datetime
import pathlib
import platform
import re
import resource
import subprocess
import sys
import tempfile

import figures
import measure
import parts
from proxies import ROOT, Ports, all_proxies, backends

# name, title, proxies (None: all), keyword arguments of measure.sample
TABLES = [
    ("main", "64 B, 64 kept connections", None, {}),
    ("4k", "4 KB, 64 kept connections", "short", {"body": 4096}),
    ("1m", "1 MB, 64 kept connections", "short", {"body": 1048576}),
    ("c8", "64 B, 8 kept connections", "short", {"connections": 8}),
    ("c512", "64 B, 512 kept connections", "short", {"connections": 512}),
    ("new", "64 B, 64 clients, a new connection each time", "short", {"new": True}),
    ("tls", "64 B, 64 kept connections, TLS", "short", {"tls": True}),
    ("tls-new", "64 B, 64 clients, a new TLS connection each time", "short", {"tls": True, "new": True}),
]
SHORT = ("bare IHttpForwarder", "StickyIngress learn", "nginx learn", "HAProxy learn")
FAST = ("bare IHttpForwarder", "StickyIngress learn", "nginx learn")


def main():
    options = arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    with tempfile.TemporaryDirectory() as folder:
        work, ports = pathlib.Path(folder), Ports()
        proxies = {proxy.name: proxy for proxy in all_proxies(work, ports)}
        with measure.running(backends(work, "backends", ports.backends), measure.OTHER_CORE) as process:
            options.backends = process.pid
            report = figures.Report(title(options))
            try:
                for part in options.parts:
                    run(part, proxies, work, ports, options, report)
            finally:
                print(report.text())
    if options.results:
        report.write(ROOT / "tests/load/results", commit())
    if options.docs and not options.chosen:
        report.write_docs(ROOT / "docs")
    elif options.docs:
        print("load: the docs are left as they are, since not all tables were made", file=sys.stderr)


def run(part, proxies, work, ports, options, report):
    table = next((table for table in TABLES if table[0] == part), None)
    if table is None:
        chosen = [proxy for proxy in proxies.values() if proxy.name in (options.only or ("StickyIngress learn", "nginx learn"))]
        getattr(parts, part)(chosen, work, ports, options, report)
        return

    _, heading, which, arguments_of_sample = table
    names = options.only or (proxies.keys() if which is None else SHORT)
    rounds = options.rounds if which is None else 1
    rows = {}
    for number in range(rounds):
        for name, proxy in proxies.items():
            if name not in names:
                continue
            with measure.serving(proxy, ports) as process:
                measure.sample(proxy, process, ports, work, options.warmup, **arguments_of_sample)
                rows.setdefault(name, []).append(measure.sample(proxy, process, ports, work, options.seconds, **arguments_of_sample))
            print(f"{part}, round {number + 1}: {name}: {rows[name][-1].cpu:.1f} µs", file=sys.stderr, flush=True)
    report.table(part, heading, rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    known = [table[0] for table in TABLES] + parts.NAMES
    parser.add_argument("--fast", action="store_true", help="one table with three proxies, one round")
    parser.add_argument("--only", type=lambda text: text.split(";"), help="names of proxies, with semicolons")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=known, help=f"of {', '.join(known)}")
    parser.add_argument("--seconds", type=int, default=10, help="measured seconds in each round")
    parser.add_argument("--warmup", type=int, default=25, help="seconds of load before a measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of the first table, which shows their median")
    parser.add_argument("--turns", type=int, default=10, help="of what is asked in turns: rounds of turns of 2 s")
    parser.add_argument("--results", action="store_true", help="also write the tables to tests/load/results")
    parser.add_argument("--docs", action="store_true", help="also write them, with a plot, into docs/performance.md")
    options = parser.parse_args()
    options.chosen = options.parts != known or options.only is not None
    if options.fast:
        options.parts, options.only, options.rounds, options.warmup, options.seconds = ["main"], options.only or list(FAST), 1, 15, 6
    for part in options.parts:
        if part not in known:
            parser.error(f"--parts has \"{part}\"; it may have {', '.join(known)}")
    return options


def title(options):
    return (f"{datetime.date.today()}, commit {commit()}, {machine()}; {options.warmup} s of warm-up, measured for {options.seconds} s; "
            f"the first table has the medians of {options.rounds} rounds, its ratios are the medians of what they were in each.")


def commit():
    return subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{model.group(1) if model else platform.processor()}, Linux {platform.release().split('-')[0]}"


if __name__ == "__main__":
    main()
