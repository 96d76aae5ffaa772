"""What is no table of loads: turns of what runs at the same time, latency at half load, idle connections, the first seconds, whether some clients hold
up others, and shared sessions."""
import contextlib
import functools
import math
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import measure
from proxies import HOSTILE, Ports, Proxy, all_modes, all_proxies, backends, shared_or_not

NAMES = ["allocated", "turns", "modes", "settings", "half", "idle", "cold", "fair", "sync"]
IDLE = 10000

# Of the runtime, other than what runtimeconfig.template.json says or leaves as it is.
SETTINGS = {
    "as it is": {},
    "`TieredPGO` off": {"DOTNET_TieredPGO": "0"},
    "server GC": {"DOTNET_gcServer": "1"},
    "GC not concurrent": {"DOTNET_gcConcurrent": "0"},
    "`GCgen0size` 4 MiB": {"DOTNET_GCgen0size": "0x400000"},
    "`GCgen0size` 64 MiB": {"DOTNET_GCgen0size": "0x4000000"},
    "`ReadyToRun` off": {"DOTNET_ReadyToRun": "0"},
    "sockets' completions inline": {"DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS": "1"},
    "`UnfairSemaphoreSpinLimit` 70, the runtime's": {"DOTNET_ThreadPool_UnfairSemaphoreSpinLimit": "70"},
}


def half(proxies, work, ports, options, report):
    """Latency at half of the rate that nginx, or else the first proxy, serves at most; the same for all."""
    proxies = sorted(proxies, key=lambda proxy: not proxy.name.startswith("nginx"))
    rate, rows = None, []
    for proxy in proxies:
        with measure.serving(proxy, ports) as process:
            most = measure.sample(proxy, process, ports, work, options.warmup)
            rate = rate or most.rate / 2
            one = measure.sample(proxy, process, ports, work, options.seconds, delay=pause(rate))
        rows.append([proxy.name, f"{one.rate:.0f}", f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.p999:.2f}", f"{one.cpu:.1f}"])
    report.rows("half", "Half load, 64 B, 64 kept connections", ["proxy", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs/request"], rows)


def pause(rate):
    """Milliseconds between requests with which 64 connections make that many a second."""
    return round(64 / rate * 1000)


def allocated(proxies, work, ports, options, report):
    """Managed memory that a request makes, of those proxies that say so."""
    rows = []
    for proxy in (proxy for proxy in proxies if proxy.ready):
        with measure.serving(proxy, ports) as process:
            measure.sample(proxy, process, ports, work, options.warmup)
            before = allocated_bytes(ports)
            one = measure.sample(proxy, process, ports, work, options.seconds)
            rows.append([proxy.name, f"{(allocated_bytes(ports) - before) / (one.rate * options.seconds):.0f}"])
    report.rows("allocated", "Managed memory allocated, 64 B, 64 kept connections", ["proxy", "bytes/request"], rows)


def allocated_bytes(ports):
    with urllib.request.urlopen(f"http://127.0.0.1:{ports.admin}/metrics") as page:
        return float(re.search(r"^dotnet_allocated_bytes_total (\S+)", page.read().decode(), re.M).group(1))


def idle(proxies, work, ports, options, report):
    """Memory with many connections that have been used once and are kept."""
    rows = []
    for proxy in proxies:
        with measure.serving(proxy, ports) as process, contextlib.ExitStack() as open_sockets:
            before = measure.rss_mib(process.pid)
            for _ in range(IDLE):
                client = open_sockets.enter_context(socket.create_connection(("127.0.0.1", ports.plain)))
                client.sendall(b"GET /64 HTTP/1.1\r\nHost: load\r\n\r\n")
                client.recv(4096)
            time.sleep(2)
            rows.append([proxy.name, f"{before:.0f}", f"{measure.rss_mib(process.pid):.0f}"])
    report.rows("idle", f"{IDLE} idle client connections", ["proxy", "RSS MiB before", "RSS MiB"], rows)


def cold(proxies, work, ports, options, report):
    """
    CPU per request from the fifth second after the start under full load, of that when warm; and the time until it is ready. Ours is started also
    without the code that was compiled ahead.
    """
    compiled_late = [Proxy(f"{proxy.name}, `ReadyToRun` off", proxy.command, proxy.cookie, {"DOTNET_ReadyToRun": "0"}, proxy.ready) for proxy in proxies if proxy.ready]
    rows = []
    for proxy in [*proxies, *compiled_late]:
        started = time.monotonic()
        with measure.running(proxy.command, measure.PROXY_CORE, proxy.environment) as process:
            wait_until_ready(proxy.ready or measure.url(ports, 64, False))
            ready = time.monotonic() - started
            first = max(1, round(5 - ready))
            measure.sample(proxy, process, ports, work, first)
            early = measure.sample(proxy, process, ports, work, 3)
            measure.sample(proxy, process, ports, work, options.warmup)
            warm = measure.sample(proxy, process, ports, work, options.seconds)
        rows.append([proxy.name, f"{ready:.1f}", f"{early.cpu:.1f}", f"{warm.cpu:.1f}", f"{early.cpu / warm.cpu:.2f}"])
    report.rows("cold", "After a start under full load", ["proxy", "ready after s", "CPU µs/request, seconds 5 to 8", "when warm", "ratio"], rows)


def fair(proxies, work, ports, options, report):
    """
    p99 of 8 clients who ask little, in turns alone and beside others who ask much of one route, which has backends of its own. On the core that they
    share the calm ones and their backends go before the others, so that what they wait for is the proxy.
    """
    rows = []
    with measure.running(backends(work, HOSTILE, ports.hostile), measure.OTHER_CORE):
        for proxy in proxies:
            with measure.serving(proxy, ports) as process:
                measure.sample(proxy, process, ports, work, options.warmup)
                asked = {name: functools.partial(calm, proxy, process, ports, work, options, hostile)
                         for name, hostile in hostile_loads(proxy, ports, work).items()}
                rounds = in_turns(asked, options.turns)
            rows += [[proxy.name, *row] for row in fair_rows(rounds)]
    report.rows("fair", f"8 calm clients: {options.turns} times eight turns of 2 s, there and back", [
        "proxy", "beside", "the others' requests/s", "p50 ms", "p99 ms", "of alone, ± standard error"], rows)


def fair_rows(rounds):
    alone, *_ = rounds[0]
    for name in rounds[0]:
        samples = [one for turn in rounds for one in turn[name]]
        others, p50, p99 = (statistics.mean(getattr(one, key) for one in samples) for key in ("others", "p50", "p99"))
        yield [name, f"{others:.0f}", f"{p50:.2f}", f"{p99:.2f}", "1" if name == alone else ratio(rounds, name, alone, "p99")]


def calm(proxy, process, ports, work, options, hostile, seconds):
    """What the calm clients get, and others: how much those who ask much get meanwhile."""
    with beside(hostile) as others:
        time.sleep(0.5)
        with measure.going_first(options.backends):
            one = measure.sample(proxy, process, ports, work, seconds, connections=8, delay=10)
    one.others = others()
    return one


def hostile_loads(proxy, ports, work):
    """The commands by name. Each takes some tenths of the core, so that what is left is enough for the calm ones."""
    script = functools.partial(measure.wrk_script, Proxy(HOSTILE, proxy.command), ports, work, delay=20, host=HOSTILE)
    plain, tls, enough = measure.url(ports, 64, False), measure.url(ports, 64, True), 60
    return {
        "nobody": None,
        "a slow regex": measure.wrk_command(script(path="/slow/" + "a" * 7000), plain, enough, 1),
        "TLS handshakes": measure.wrk_command(script(new=True), tls, enough, 8),
        "1 MB bodies": measure.wrk_command(script(body=1048576), plain, enough, 4),
    }


def turns(proxies, work, ports, options, report):
    """
    What nginx, we and the bare forwarder take, all running and asked in short turns, so that what changes on the machine meets all; then the same at
    half of what nginx serves at most, and with large bodies.
    """
    with contextlib.ExitStack() as stack:
        asked = {name: beside_others(stack, name, work, ports) for name in ("nginx learn", "StickyIngress learn", "bare IHttpForwarder")}
        warm_up(asked, options)
        full = in_turns(asked, options.turns)
        rate = statistics.mean(one.rate for turn in full for one in turn["nginx learn"]) / 2
        half = in_turns(asked, options.turns, delay=pause(rate))
        large = in_turns(asked, options.turns, body=1048576)
    columns = ["load", *turn_columns("proxy", "nginx")]
    rows = [[load, *row] for load, rounds in (("full", full), ("half of nginx's", half), ("full, 1 MB", large)) for row in turn_rows(rounds)]
    report.rows("turns", f"64 B where it says no more, 64 kept connections, all running: {options.turns} times two turns of 2 s each, there and back", columns, rows)


def modes(proxies, work, ports, options, report):
    """What affinity costs: one process with an upstream for each mode, asked in short turns, so that all run the same machine code."""
    proxy, hosts = all_modes(work, ports)
    with measure.serving(proxy, ports) as process:
        asked = {mode: functools.partial(measure.sample, of_mode, process, ports, work, host=host) for mode, (host, of_mode) in hosts.items()}
        warm_up(asked, options)
        rounds = in_turns(asked, options.turns)
    report.rows("modes", f"Modes of affinity in one process: {options.turns} times two turns of 2 s each, there and back",
                turn_columns("sticky", "none"), turn_rows(rounds))


def settings(proxies, work, ports, options, report):
    """What settings of the runtime change: a process with each, all running and asked in short turns."""
    with contextlib.ExitStack() as stack:
        asked = {name: beside_others(stack, "StickyIngress learn", work, ports, environment) for name, environment in SETTINGS.items()}
        warm_up(asked, options)
        rounds = in_turns(asked, options.turns)
    report.rows("settings", f"Settings of the runtime, all running: {options.turns} times two turns of 2 s each, there and back",
                turn_columns("setting", "as it is"), turn_rows(rounds))


def sync(proxies, work, ports, options, report):
    """What sharing costs a session that is known here, with the store running and frozen. One process has both upstreams."""
    with redis(work) as (store, settings):
        proxy = shared_or_not(work, ports, settings)
        with measure.serving(proxy, ports) as process:
            asked = {f"`{sync}`": functools.partial(measure.sample, proxy, process, ports, work, host=host)
                     for sync, host in (("false", "alone"), ("true", "shared"))}
            warm_up(asked, options)
            running = in_turns(asked, options.turns)
            store.send_signal(signal.SIGSTOP)
            frozen = in_turns(asked, options.turns)
    rows = [["runs", *row] for row in turn_rows(running)] + [["is frozen", *row] for row in turn_rows(frozen)]
    report.rows("sync", f"Known sessions of learn, shared or not: {options.turns} times four turns of 2 s, A B B A",
                ["the store", *turn_columns("sync", "`false`")], rows)


def beside_others(stack, name, work, ports, environment=None):
    """Starts a proxy on ports of its own, for as long as the stack lasts; a function of seconds that loads it."""
    own, folder = Ports(ports.backends), pathlib.Path(tempfile.mkdtemp(dir=work))
    proxy = next(proxy for proxy in all_proxies(folder, own) if proxy.name == name)
    proxy.environment |= environment or {}
    process = stack.enter_context(measure.serving(proxy, own))
    return functools.partial(measure.sample, proxy, process, own, folder)


def warm_up(asked, options):
    for sample in [*asked.values()] * 3:
        sample(max(1, options.warmup // 6))


def in_turns(asked, rounds, **arguments):
    """Two short samples of each in every round, there and back again."""
    order = [*asked, *reversed(asked)]
    return [collect((name, asked[name](2, **arguments)) for name in order) for _ in range(rounds)]


def collect(samples):
    collected = {}
    for name, one in samples:
        collected.setdefault(name, []).append(one)
    return collected


def turn_columns(what, first):
    return [what, "CPU µs/request", f"of {first}, ± standard error", "requests/s", "p50 ms", "p99 ms", f"of {first}, ± standard error", "errors"]


def turn_rows(rounds):
    """A row for each; the first is what the others are compared with."""
    first, *_ = rounds[0]
    rows = []
    for name in rounds[0]:
        samples = [one for turn in rounds for one in turn[name]]
        cpu, rate, p50, p99 = (statistics.mean(getattr(one, key) for one in samples) for key in ("cpu", "rate", "p50", "p99"))
        ratios = ["1", "1"] if name == first else [ratio(rounds, name, first, "cpu"), ratio(rounds, name, first, "p99")]
        errors = sum(one.errors for one in samples)
        rows.append([name, f"{cpu:.2f}", ratios[0], f"{rate:.0f}", f"{p50:.2f}", f"{p99:.2f}", ratios[1], f"{errors:.0f}"])
    return rows


def ratio(rounds, name, first, key):
    """
    Of one to the first in each round; the geometric mean of all, and how sure that is. The arithmetic mean of ratios is above 1 where both
    only scatter alike: twice as much and half as much make 1.25.
    """
    of = lambda samples: sum(getattr(one, key) for one in samples)
    each = [math.log(of(turn[name]) / of(turn[first])) for turn in rounds]
    mean = math.exp(statistics.mean(each))
    return f"{mean:.3f} ± {mean * statistics.stdev(each) / len(each) ** 0.5:.3f}"


@contextlib.contextmanager
def redis(work):
    """A store that keeps nothing, not frozen any more at the end, and the settings that name it."""
    if not shutil.which("redis-server"):
        sys.exit("load: redis-server is missing (Debian package redis-server), which the part sync needs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = work / "keys"
    keys.write_text("the key that all replicas have\n")
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with measure.running(command, measure.OTHER_CORE) as process, contextlib.ExitStack() as thaw:
        thaw.callback(process.send_signal, signal.SIGCONT)
        yield process, ["--sync-store", f"redis://127.0.0.1:{port}", "--affinity-keys", str(keys)]


@contextlib.contextmanager
def beside(command):
    """Runs a load meanwhile, if there is one; a function that says afterwards how many requests a second it had answered."""
    if command is None:
        yield lambda: 0.0
        return
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield lambda: measure.wrk_figures(process.stdout.read())["rate"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def wait_until_ready(address):
    for _ in range(3000):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.01)
    raise SystemExit(f"load: not ready: {address}")
