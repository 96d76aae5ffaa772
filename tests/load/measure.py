"""Starting what is measured, loading it with wrk, and reading what it cost."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from proxies import SESSIONS

PROXY_CORE, OTHER_CORE = "0", "1"


class Sample:
    """What one measurement gave; times in milliseconds, CPU in microseconds per request."""

    def __init__(self, cpu, rate, p50, p99, p999, errors, rss):
        self.cpu, self.rate, self.p50, self.p99, self.p999, self.errors, self.rss = cpu, rate, p50, p99, p999, errors, rss


@contextlib.contextmanager
def running(command, core, environment=None):
    process = subprocess.Popen(["taskset", "-c", core, *command], env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving(proxy, ports):
    with running(proxy.command, PROXY_CORE, proxy.environment) as process:
        wait_for(f"http://127.0.0.1:{ports.plain}/64", process)
        yield process


@contextlib.contextmanager
def going_first(pid):
    """That process, and what is started meanwhile, has its core as soon as it wants it."""
    def schedule(policy, priority):
        for one in (pid, 0):
            os.sched_setscheduler(one, policy, os.sched_param(priority))

    try:
        schedule(os.SCHED_FIFO, 1)
    except PermissionError:
        print("load: without the right to schedule in real time the calm clients wait for the others on their own core too", file=sys.stderr)
        yield
        return
    try:
        yield
    finally:
        schedule(os.SCHED_OTHER, 0)


def sample(proxy, process, ports, work, seconds, connections=64, body=64, tls=False, new=False, delay=0, host="load"):
    """Loads a running proxy for some seconds. delay: mean milliseconds that each connection waits between requests."""
    script = wrk_script(proxy, ports, work, body, new, delay, host=host)
    if tls:
        wait_for_tls(ports.tls)
    before = cpu_seconds(process.pid)
    figures = wrk(script, url(ports, body, tls), seconds, connections)
    spent = cpu_seconds(process.pid) - before
    requests = max(1, figures["requests"])
    return Sample(spent / requests * 1e6, figures["rate"], figures["p50"], figures["p99"], figures["p999"], figures["errors"], rss_mib(process.pid))


def url(ports, body, tls):
    return f"https://127.0.0.1:{ports.tls}/{body}" if tls else f"http://127.0.0.1:{ports.plain}/{body}"


def wrk_script(proxy, ports, work, body=64, new=False, delay=0, path=None, host="load"):
    """Requests with each client's cookie in turn."""
    path = path or f"/{body}"
    close = ', ["Connection"] = "close"' if new else ""
    requests = [f'wrk.format("GET", "{path}", {{ ["Host"] = "{host}"{cookie}{close} }})' for cookie in cookies_of(proxy, ports, host)]
    waiting = f"function delay()\n  return math.random(0, {2 * delay})\nend\n" if delay else ""
    file = work / f"load-{os.urandom(4).hex()}.lua"
    file.write_text(
        f"local requests, at\nfunction init()\n  requests, at = {{ {', '.join(requests)} }}, 0\nend\n"
        "function request()\n  at = at % #requests + 1\n  return requests[at]\nend\n" + waiting +
        "function done(summary, latency)\n  local e = summary.errors\n"
        '  io.write(string.format("FIGURES %d %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), '
        "latency:percentile(99.9), e.connect + e.read + e.write + e.status + e.timeout))\nend\n")
    return str(file)


def cookies_of(proxy, ports, host):
    if proxy.cookie is None:
        return [""]
    if proxy.cookie != "issued":
        return [f', ["Cookie"] = "{proxy.cookie(number)}"' for number in range(SESSIONS)]
    issued = []
    for _ in range(3):
        request = urllib.request.Request(f"http://127.0.0.1:{ports.plain}/64", headers={"Host": host})
        with urllib.request.urlopen(request) as response:
            issued.append(response.headers["Set-Cookie"].split(";")[0])
    return [f', ["Cookie"] = "{cookie}"' for cookie in issued]


def wrk_command(script, target, seconds, connections):
    return ["taskset", "-c", OTHER_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, target]


def wrk(script, target, seconds, connections):
    done = subprocess.run(wrk_command(script, target, seconds, connections), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"load: wrk on {target} ended with {done.returncode}: {done.stderr}{done.stdout}")
    return wrk_figures(done.stdout)


def wrk_figures(output):
    requests, duration, p50, p99, p999, errors = (int(number) for number in re.search(r"^FIGURES (.*)$", output, re.M).group(1).split())
    return {"requests": requests, "rate": requests / (duration / 1e6), "p50": p50 / 1e3, "p99": p99 / 1e3, "p999": p999 / 1e3, "errors": errors}


def wait_for(address, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"load: {process.args} ended with {process.returncode}")
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"load: no answer from {address}")


def wait_for_tls(port):
    """It may be opened after the other one."""
    for _ in range(600):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"load: nobody listens on {port}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024
