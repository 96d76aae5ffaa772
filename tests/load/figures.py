"""Tables and the plot of a run."""
import datetime
import statistics

MARKS = ("<!-- load: written by make load -->", "<!-- load ends -->")


class Report:
    def __init__(self, title):
        self.title, self.sections, self.bars = title, [], []

    def table(self, name, heading, rows):
        """rows: by proxy the samples of all rounds. A ratio is one of each round, since what slows a round down slows down both."""
        bare, learn = rows.get("bare IHttpForwarder"), rows.get("nginx learn")
        median = lambda samples, key: statistics.median(getattr(one, key) for one in samples)
        ratio = lambda samples, to: f"{statistics.median(one.cpu / other.cpu for one, other in zip(samples, to)):.2f}" if to else ""
        self.rows(name, heading, [
            "proxy", "CPU µs/request", "of bare forwarder", "of nginx learn", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "RSS MiB", "errors"], [
            [proxy, f"{median(samples, 'cpu'):.1f}", ratio(samples, bare), ratio(samples, learn), f"{median(samples, 'rate'):.0f}", f"{median(samples, 'p50'):.2f}",
             f"{median(samples, 'p99'):.2f}", f"{median(samples, 'p999'):.2f}", f"{median(samples, 'rss'):.0f}", f"{median(samples, 'errors'):.0f}"]
            for proxy, samples in rows.items()])
        if name == "main":
            self.bars = [(proxy, median(samples, "cpu")) for proxy, samples in rows.items()]

    def rows(self, name, heading, columns, rows):
        lines = [f"### {heading}", "", "| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        self.sections.append("\n".join(lines))

    def text(self):
        return self.title + "\n\n" + "\n\n".join(self.sections) + "\n"

    def write(self, folder, commit):
        folder.mkdir(exist_ok=True)
        (folder / f"{datetime.date.today()}-{commit}.md").write_text(self.text())

    def write_docs(self, folder):
        page = folder / "performance.md"
        before, rest = page.read_text().split(MARKS[0])
        plot = "![CPU per request](load.svg)\n\n" if self.bars else ""
        page.write_text(f"{before}{MARKS[0]}\n\n{plot}{self.text()}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")
        if self.bars:
            (folder / "load.svg").write_text(self.plot())

    def plot(self):
        """A bar for each proxy."""
        most = max(cpu for _, cpu in self.bars)
        lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{40 + 24 * len(self.bars)}" font-family="sans-serif" font-size="13">',
                 '<rect width="100%" height="100%" fill="white"/>', '<text x="8" y="20" font-weight="bold">CPU per request in µs, 64 B bodies, 64 connections</text>']
        for number, (proxy, cpu) in enumerate(self.bars):
            top = 32 + 24 * number
            colour = "#2b7a5b" if proxy.startswith("StickyIngress") else "#8a94a3"
            lines.append(f'<text x="8" y="{top + 14}">{proxy}</text><rect x="250" y="{top}" width="{430 * cpu / most:.0f}" height="18" fill="{colour}"/>'
                         f'<text x="{256 + 430 * cpu / most:.0f}" y="{top + 14}">{cpu:.1f}</text>')
        return "\n".join([*lines, "</svg>", ""])
