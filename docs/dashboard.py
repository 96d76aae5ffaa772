#!/usr/bin/env python3
"""Draws the Grafana dashboard of the chart as an SVG, from what a running Prometheus answers to its queries.

It is not Grafana's own picture: panels, queries, titles and legends are those of the dashboard, the drawing is ours.
Usage: docs/dashboard.py PROMETHEUS_URL MINUTES TITLE... > docs/dashboard.svg
"""
import html
import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request

WIDTH, HEIGHT, GAP, COLUMNS = 400, 220, 12, 3
COLOURS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0"]


def answer(url, expression, start, end):
    query = expression.replace("$__rate_interval", "15s")
    query = re.sub(r"\$(namespace|upstream|job)", ".*", query)
    arguments = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": 5})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{arguments}", timeout=10) as response:
        return json.load(response)["data"]["result"]


def legend(template, labels):
    return re.sub(r"{{\s*(\w+)\s*}}", lambda match: labels.get(match[1], ""), template)


def short(value, unit):
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit == "bytes":
        return f"{value / 1048576:.3g} MiB"
    return f"{value:.3g}" + {"reqps": "/s", "ops": "/s"}.get(unit, "")


def series_of(url, panel, start, end):
    for target in panel["targets"]:
        for result in answer(url, target["expr"], start, end):
            points = [(float(at), float(value)) for at, value in result["values"] if value != "NaN"]
            if points:
                yield legend(target["legendFormat"], result["metric"]), points


def draw(panel, found, start, end, left, top):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    most = max((value for _, points in found for _, value in points), default=1) or 1
    x0, y0, width, height = left + 62, top + 34, WIDTH - 76, HEIGHT - 84
    yield f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="3" fill="#181b1f" stroke="#2c3235"/>'
    yield f'<text x="{left + 10}" y="{top + 20}" fill="#d8d9da" font-size="13" font-weight="bold">{html.escape(panel["title"])}</text>'
    for part in (0, 0.5, 1):
        y = y0 + height * (1 - part)
        yield f'<line x1="{x0}" y1="{y:.0f}" x2="{x0 + width}" y2="{y:.0f}" stroke="#2c3235"/>'
        yield f'<text x="{x0 - 5}" y="{y + 4:.0f}" fill="#8e8e8e" font-size="10" text-anchor="end">{short(most * part, unit)}</text>'
    for minute in range(math.ceil(start / 60), int(end / 60) + 1):
        x = x0 + width * (minute * 60 - start) / (end - start)
        clock = time.strftime("%H:%M", time.gmtime(minute * 60))
        yield f'<text x="{x:.0f}" y="{y0 + height + 14}" fill="#8e8e8e" font-size="10" text-anchor="middle">{clock}</text>'
    x = left + 10
    for number, (name, points) in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(f"{x0 + width * (at - start) / (end - start):.1f},{y0 + height * (1 - value / most):.1f}" for at, value in points)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        if x + 6 * len(name) + 20 < left + WIDTH:
            yield f'<rect x="{x}" y="{top + HEIGHT - 21}" width="9" height="3" fill="{colour}"/>'
            yield f'<text x="{x + 13}" y="{top + HEIGHT - 16}" fill="#b0b0b0" font-size="10">{html.escape(name)}</text>'
            x += 6 * len(name) + 26


def main(url, minutes, *titles):
    with open("charts/sticky-ingress/files/dashboard.json", encoding="utf-8") as file:
        panels = [panel for panel in json.load(file)["panels"] if panel["title"] in titles]
    end = time.time()
    start = end - float(minutes) * 60
    rows = math.ceil(len(panels) / COLUMNS)
    width, height = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP + 22
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">')
    print(f'<rect width="{width}" height="{height}" fill="#111217"/>')
    for number, panel in enumerate(panels):
        left = GAP + number % COLUMNS * (WIDTH + GAP)
        top = GAP + number // COLUMNS * (HEIGHT + GAP)
        found = list(series_of(url, panel, start, end))
        if not found:
            sys.exit(f"dashboard: {panel['title']} has no data")
        print("\n".join(draw(panel, found, start, end, left, top)))
    print(f'<text x="{GAP}" y="{height - 10}" fill="#8e8e8e" font-size="11">Drawn by docs/dashboard.py from a Prometheus that scraped the demo; '
          "panels and queries are those of the Grafana dashboard.</text></svg>")


main(*sys.argv[1:])
