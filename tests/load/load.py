#!/usr/bin/env python3
"""The same load on StickyIngress, a bare YARP forwarder, nginx and HAProxy, in one run on loopback.

Each proxy has core 0 for itself; client (wrk) and backends share core 1. The figure that counts is CPU time per request, read from
/proc/PID/stat over the measured seconds: it is steadier than requests per second. Every proxy is warmed up first.

    tests/load/load.py [--only NAME,...] [--seconds 10] [--warmup 25] [--rounds 3] [--body 64] [--connections 64]
"""
import argparse
import datetime
import os
import pathlib
import platform
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
BACKENDS = [9401, 9402, 9403]
PROXY, ADMIN = 9400, 9410
SESSIONS = 100
PROXY_CORE, OTHER_CORE = "0", "1"

STICKY = {
    "none": "",
    "cookie": "  sticky: { cookie: { name: srv_id } }\n",
    "route": '  sticky: { route: { from: ["$cookie_route"] } }\n',
    "learn": '  sticky: { learn: { create: ["$cookie_sid"], lookup: ["$cookie_sid"], zone: { name: load, size: 8m } } }\n',
}


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        proxies = [proxy for proxy in all_proxies(work) if not options.only or proxy.name in options.only]
        with backends(work, options.body):
            rows = {}
            for number in range(options.rounds):
                for proxy in proxies:
                    rows.setdefault(proxy.name, []).append(measure(proxy, work, options))
                    print(f"round {number + 1}: {proxy.name}: {rows[proxy.name][-1].cpu:.1f} µs", file=sys.stderr)
    report(rows, options)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of proxies, with commas")
    parser.add_argument("--seconds", type=int, default=10, help="measured seconds in each round")
    parser.add_argument("--warmup", type=int, default=25, help="seconds of load before a measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the table shows their median")
    parser.add_argument("--body", type=int, default=64, help="bytes of a response")
    parser.add_argument("--connections", type=int, default=64, help="of the client")
    parser.add_argument("--results", action="store_true", help="also write the table to tests/load/results")
    return parser.parse_args()


class Proxy:
    """A proxy to measure: how it is started, and which cookie its clients send (None: none; a function of the number of a session)."""

    def __init__(self, name, command, environment=None, cookie=None):
        self.name, self.command, self.environment, self.cookie = name, command, environment or {}, cookie


def all_proxies(work):
    release = ROOT / "artifacts/bin"
    sticky = str(release / "StickyIngress/release/sticky-ingress")
    bare = str(release / "StickyIngress.Benchmarks/release/StickyIngress.Benchmarks")
    proxies = [Proxy("bare IHttpForwarder", [bare, "bare-forwarder", str(PROXY), *(f"127.0.0.1:{port}" for port in BACKENDS)])]
    for mode in STICKY:
        command = [sticky, "run", "--manifests", manifests(work, mode), "--http", f"127.0.0.1:{PROXY}", "--admin", f"127.0.0.1:{ADMIN}",
                   "--access-log", "off", "--shutdown-grace", "0s", "--log-level", "error"]
        proxies.append(Proxy(f"StickyIngress {mode}", command, cookie=cookie_of(mode)))
    nginx = find_nginx()
    for mode in ("none", "cookie", "learn") if nginx else ():
        proxies.append(Proxy(f"nginx {mode}", [nginx, "-c", nginx_config(work, mode), "-p", str(work)], cookie=cookie_of(mode)))
    haproxy = shutil.which("haproxy")
    for mode in ("cookie", "learn") if haproxy else ():
        proxies.append(Proxy(f"HAProxy {mode}", [haproxy, "-db", "-f", haproxy_config(work, mode)], cookie=cookie_of(mode)))
    return proxies


def cookie_of(mode):
    if mode == "cookie":
        return "issued"
    if mode == "route":
        return lambda number: f"route={'abc'[number % 3]}"
    if mode == "learn":
        return lambda number: f"sid=session-{number:04d}-{number * 7919:08d}"
    return None


def manifests(work, mode):
    folder = work / f"sticky-{mode}"
    folder.mkdir()
    servers = "".join(f'  - {{ name: {name}, address: "127.0.0.1:{port}", route: {name} }}\n' for name, port in zip("abc", BACKENDS))
    (folder / "load.yaml").write_text(
        "apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: { name: load }\nspec:\n"
        "  routes: [{ paths: [{ path: / }] }]\n  keepalive: { connections: 512, requests: 1000000000 }\n  servers:\n" + servers + STICKY[mode])
    return str(folder)


def find_nginx():
    found = subprocess.run([str(ROOT / "tests/load/nginx.sh")], capture_output=True, text=True)
    if found.returncode == 0:
        return found.stdout.strip()
    print(f"nginx is left out: {found.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return None


def nginx_config(work, mode):
    sticky = {"none": "", "cookie": "sticky cookie srv_id;", "learn": "sticky learn create=$cookie_sid lookup=$cookie_sid zone=load:8m timeout=10m;"}[mode]
    servers = " ".join(f"server 127.0.0.1:{port};" for port in BACKENDS)
    path = work / f"nginx-{mode}.conf"
    path.write_text(f"""
        daemon off; master_process off; worker_processes 1; pid {work}/nginx-{mode}.pid; error_log {work}/nginx.log error;
        events {{ worker_connections 4096; }}
        http {{ access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
          keepalive_requests 1000000000;
          upstream load {{ {servers} {sticky} keepalive 512; keepalive_requests 1000000000; }}
          server {{ listen 127.0.0.1:{PROXY} backlog=4096; location / {{ proxy_pass http://load; proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Real-IP $remote_addr; }} }}
        }}""")
    return str(path)


def haproxy_config(work, mode):
    sticky = {
        "cookie": "cookie srv_id insert indirect nocache",
        "learn": "stick-table type string len 64 size 100k expire 10m\n  stick on req.cook(sid)",
    }[mode]
    mark = (lambda name: f" cookie {name}") if mode == "cookie" else (lambda name: "")
    servers = "".join(f"  server {name} 127.0.0.1:{port}{mark(name)}\n" for name, port in zip("abc", BACKENDS))
    path = work / f"haproxy-{mode}.cfg"
    path.write_text(
        "global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        "  option forwardfor\n  http-reuse always\n"
        f"frontend f\n  bind 127.0.0.1:{PROXY}\n  default_backend b\nbackend b\n  balance roundrobin\n  {sticky}\n{servers}")
    return str(path)


class backends:
    """Three servers that answer with a body of that many bytes."""

    def __init__(self, work, body):
        self.path = work / "backends.conf"
        servers = "".join(f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ root {work}/html; try_files /body =404; }} }}\n" for port in BACKENDS)
        (work / "html").mkdir()
        (work / "html/body").write_bytes(b"x" * body)
        self.path.write_text(f"""
            daemon off; master_process off; worker_processes 1; pid {work}/backends.pid; error_log {work}/backends.log error;
            events {{ worker_connections 8192; }}
            http {{ access_log off; keepalive_requests 1000000000; open_file_cache max=10; sendfile on; tcp_nopush on; default_type text/plain;
              client_body_temp_path {work}/bb; proxy_temp_path {work}/bp; fastcgi_temp_path {work}/bf; uwsgi_temp_path {work}/bu; scgi_temp_path {work}/bs;
              {servers} }}""")
        self.work = work

    def __enter__(self):
        nginx = shutil.which("nginx") or find_nginx()
        if not nginx:
            sys.exit("load.py: nginx is missing, which the backends need (Debian package nginx-light)")
        self.process = pinned(OTHER_CORE, [nginx, "-c", str(self.path), "-p", str(self.work)])
        wait_for(BACKENDS[-1])

    def __exit__(self, *_):
        stop(self.process)


class Sample:
    def __init__(self, cpu, rate, p50, p99, errors, rss):
        self.cpu, self.rate, self.p50, self.p99, self.errors, self.rss = cpu, rate, p50, p99, errors, rss


def measure(proxy, work, options):
    process = pinned(PROXY_CORE, proxy.command, {**proxy.environment})
    try:
        wait_for(PROXY)
        script = wrk_script(proxy, work)
        wrk(script, options.warmup, options.connections)
        before = cpu_seconds(process.pid)
        output = wrk(script, options.seconds, options.connections)
        spent = cpu_seconds(process.pid) - before
        requests = int(re.search(r"(\d+) requests in", output).group(1))
        errors = sum(int(number) for number in re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", output))
        return Sample(
            spent / requests * 1e6, float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
            milliseconds(output, "50%"), milliseconds(output, "99%"), errors, rss_mib(process.pid))
    finally:
        stop(process)


def wrk_script(proxy, work):
    cookies = []
    if proxy.cookie == "issued":
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{PROXY}/") as response:
                cookies.append(response.headers["Set-Cookie"].split(";")[0])
    elif proxy.cookie:
        cookies = [proxy.cookie(number) for number in range(SESSIONS)]
    path = work / "load.lua"
    table = ", ".join(f'wrk.format("GET", "/", {{ ["Host"] = "load", ["Cookie"] = "{cookie}" }})' for cookie in cookies) or 'wrk.format("GET", "/")'
    path.write_text(
        f"local requests, at\nfunction init()\n  requests, at = {{ {table} }}, 0\nend\n"
        "function request()\n  at = at % #requests + 1\n  return requests[at]\nend\n")
    return str(path)


def wrk(script, seconds, connections):
    command = ["taskset", "-c", OTHER_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{PROXY}/"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def milliseconds(output, percentile):
    number, unit = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", output).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def pinned(core, command, environment=None):
    return subprocess.Popen(["taskset", "-c", core, *command], env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(port):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    else:
        sys.exit(f"load.py: nobody listens on port {port}")
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"load.py: no answer on port {port}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def report(rows, options):
    median = {name: {key: statistics.median(getattr(sample, key) for sample in samples) for key in vars(samples[0])} for name, samples in rows.items()}
    bare = median.get("bare IHttpForwarder", {}).get("cpu")
    learn = median.get("nginx learn", {}).get("cpu")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    lines = [
        f"{datetime.date.today()}, commit {commit}, {machine()}; {options.body} B bodies, {options.connections} connections, {options.warmup} s of warm-up, "
        f"median of {options.rounds} rounds of {options.seconds} s.",
        "",
        "| proxy | CPU µs/request | of bare forwarder | of nginx learn | requests/s | p50 ms | p99 ms | RSS MiB | errors |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, figures in median.items():
        ratio = lambda to: f"{figures['cpu'] / to:.2f}" if to else ""
        lines.append(
            f"| {name} | {figures['cpu']:.1f} | {ratio(bare)} | {ratio(learn)} | {figures['rate']:.0f} | {figures['p50']:.2f} | {figures['p99']:.2f} "
            f"| {figures['rss']:.0f} | {figures['errors']:.0f} |")
    table = "\n".join(lines) + "\n"
    print(table)
    if options.results:
        folder = ROOT / "tests/load/results"
        folder.mkdir(exist_ok=True)
        (folder / f"{datetime.date.today()}-{commit}.md").write_text(table)


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{model.group(1) if model else platform.processor()}, Linux {platform.release().split('-')[0]}"


if __name__ == "__main__":
    main()
