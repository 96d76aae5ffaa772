"""The proxies that are compared: how each is started and configured, and the backends behind them."""
import base64
import pathlib
import random
import shutil
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = ROOT / "artifacts/image"
BENCHMARKS = ROOT / "artifacts/bin/StickyIngress.Benchmarks/release"
SESSIONS = 100
SIZES = (64, 4096, 1048576)

# For the test of fairness: a host of its own, and a pattern whose automaton grows with every character that it may end at.
HOSTILE = "hostile"
SLOW_PATTERN = "^/slow/.*a.{60}b$"

STICKY = {
    "none": "",
    "cookie": "  sticky: { cookie: { name: srv_id } }\n",
    "route": '  sticky: { route: { from: ["$cookie_route"] } }\n',
    "learn": '  sticky: { learn: { create: ["$cookie_sid"], lookup: ["$cookie_sid"], zone: { name: load, size: 8m } } }\n',
}

SESSIONS_OF = '  sticky: {{ learn: {{ create: ["$cookie_sid"], lookup: ["$cookie_sid"], zone: {{ name: {name}, size: 8m }}, sync: {sync} }} }}\n'


class Ports:
    """
    Free when the run began, and none that the system gives to a connection meanwhile. The same for every proxy that is measured after another one; those
    that run at the same time share the backends. The host HOSTILE has backends of its own.
    """

    def __init__(self, backends=None):
        self.plain, self.tls, self.admin, *free = free_ports(9)
        self.backends, self.hostile = backends or free[:3], free[3:]


def free_ports(count):
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    for port in random.sample(range(max(1024, first_given - 20000), first_given), 20 * count):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == count:
            return found
    sys.exit("load: too few ports are free")


class Proxy:
    """A proxy to measure: how it is started, and which cookie its clients send (None: none; "issued": what it gave; a function of a session's number)."""

    def __init__(self, name, command, cookie=None, environment=None, ready=None):
        self.name, self.command, self.cookie, self.environment, self.ready = name, command, cookie, environment or {}, ready


def all_proxies(work, ports):
    make_certificate(work)
    proxies = [
        bare(work, ports, "bare IHttpForwarder"),
        bare(work, ports, "bare IHttpForwarder, our scheduling", "inline"),
    ]
    # The machine's speed changes within minutes, so what is compared most, ours with learn and nginx's, is measured one after the other.
    for mode in ("none", "cookie", "route", "learn"):
        proxies.append(sticky_ingress(work, ports, mode))
    nginx = find_nginx()
    for mode in ("learn", "none", "cookie") if nginx else ():
        proxies.append(Proxy(f"nginx {mode}", [nginx, "-c", nginx_config(work, ports, mode), "-p", str(work)], cookie_of(mode)))
    haproxy = shutil.which("haproxy")
    for mode in ("cookie", "learn") if haproxy else ():
        proxies.append(Proxy(f"HAProxy {mode}", [haproxy, "-db", "-f", haproxy_config(work, ports, mode)], cookie_of(mode)))
    for mode in ("none", "learn"):
        proxies.append(sticky_ingress(work, ports, mode, engine="Yarp"))
    return proxies


def bare(work, ports, name, scheduling="default"):
    program = str(BENCHMARKS / "StickyIngress.Benchmarks")
    command = [program, "bare-forwarder", scheduling, str(ports.plain), str(ports.tls), str(work / "tls.crt"), str(work / "tls.key")]
    # It is warm as soon as ours is: on one core the runtime would wait for a second without new code before it looks for hot code.
    environment = {"DOTNET_TC_CallCountingDelayMs": "1"}
    if scheduling == "inline":
        environment |= {"DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS": "1", "DOTNET_ThreadPool_UnfairSemaphoreSpinLimit": "0"}
    return Proxy(name, command + [f"127.0.0.1:{port}" for port in ports.backends], environment=environment)


def sticky_ingress(work, ports, mode, engine="Auto", settings=()):
    command = [
        str(IMAGE / "sticky-ingress"), "run", "--manifests", manifests(work, ports, mode, engine),
        "--http", f"127.0.0.1:{ports.plain}", "--https", f"127.0.0.1:{ports.tls}", "--admin", f"127.0.0.1:{ports.admin}",
        "--access-log", "off", "--shutdown-grace", "0s", "--log-level", "error", *settings,
    ]
    name = f"StickyIngress {mode}" + ("" if engine == "Auto" else f", {engine} engine")
    return Proxy(name, command, cookie_of(mode), ready=f"http://127.0.0.1:{ports.admin}/readyz")


def shared_or_not(work, ports, settings):
    """One process with two upstreams that learn, each at a host of its name: one shares its sessions."""
    sticky = {name: SESSIONS_OF.format(name=name, sync=sync) for name, sync in (("alone", "false"), ("shared", "true"))}
    return at_hosts(work, ports, "learn", sticky, settings)


def all_modes(work, ports):
    """
    One process with an upstream for each mode, each at a host of its name; and what it is as a proxy of that mode. All pass a cookie on, so that
    affinity is all that differs; once more without any.
    """
    proxy = at_hosts(work, ports, "none", STICKY)
    modes = {mode: (mode, Proxy(mode, proxy.command, cookie_of("learn" if mode == "none" else mode))) for mode in STICKY}
    return proxy, modes | {"none, without a cookie": ("none", Proxy("none", proxy.command))}


def at_hosts(work, ports, mode, sticky, settings=()):
    """A process of that mode with further upstreams, name to what they have under sticky, each at a host of its name."""
    (pathlib.Path(manifests(work, ports, mode, "Auto")) / "hosts.yaml").write_text(
        "---\n".join(upstream(ports.backends, name, its, host=name) for name, its in sticky.items()))
    return sticky_ingress(work, ports, mode, settings=settings)


def cookie_of(mode):
    if mode == "cookie":
        return "issued"
    if mode == "route":
        return lambda number: f"route={'abc'[number % 3]}"
    if mode.startswith("learn"):
        return lambda number: f"sid=session-{number:04d}-{number * 7919:08d}"
    return None


def make_certificate(work):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=load",
         "-addext", "subjectAltName=DNS:load,IP:127.0.0.1", "-keyout", str(work / "tls.key"), "-out", str(work / "tls.crt")],
        check=True, capture_output=True)
    (work / "tls.pem").write_text((work / "tls.crt").read_text() + (work / "tls.key").read_text())


def manifests(work, ports, mode, engine):
    folder = work / f"sticky-{mode}-{engine}"
    folder.mkdir(exist_ok=True)
    encoded = {name: base64.b64encode((work / name).read_bytes()).decode() for name in ("tls.crt", "tls.key")}
    (folder / "load.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: { name: load-tls }\ntype: kubernetes.io/tls\n"
        f"data: {{ tls.crt: {encoded['tls.crt']}, tls.key: {encoded['tls.key']} }}\n---\n"
        + upstream(ports.backends, "load", STICKY[mode], engine) + "---\n" + upstream(ports.hostile, HOSTILE, STICKY["none"], engine, HOSTILE))
    return str(folder)


def upstream(backends, name, sticky, engine="Auto", host=None):
    """host: the only one that it serves; None: any."""
    hosts = f"hosts: [{host}], " if host else ""
    servers = "".join(f'  - {{ name: {server}, address: "127.0.0.1:{port}", route: {server} }}\n' for server, port in zip("abc", backends))
    return (
        f"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: {name} }}\nspec:\n"
        f"  routes: [{{ {hosts}paths: [{{ path: / }}, {{ path: '{SLOW_PATTERN}', pathType: Regex }}] }}]\n"
        "  tls: [{ secretName: load-tls }]\n"
        f"  proxy: {{ engine: {engine} }}\n"
        "  keepalive: { connections: 512, requests: 1000000000 }\n  servers:\n" + servers + sticky)


def find_nginx():
    found = subprocess.run([str(ROOT / "tests/load/nginx.sh")], capture_output=True, text=True)
    if found.returncode == 0:
        return found.stdout.strip()
    print(f"nginx is left out: {found.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return None


def nginx_config(work, ports, mode):
    sticky = {"none": "", "cookie": "sticky cookie srv_id;", "learn": "sticky learn create=$cookie_sid lookup=$cookie_sid zone=load:8m timeout=10m;"}[mode]
    servers = lambda backends: " ".join(f"server 127.0.0.1:{port};" for port in backends)
    passing = """proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Real-IP $remote_addr;"""
    server = lambda name, first="": f"""
          server {{ listen 127.0.0.1:{ports.plain}{first}; listen 127.0.0.1:{ports.tls} ssl{first}; server_name {name};
            ssl_certificate {work}/tls.crt; ssl_certificate_key {work}/tls.key;
            location / {{ proxy_pass http://{name}; {passing} }} location ~ "{SLOW_PATTERN}" {{ proxy_pass http://{name}; {passing} }} }}"""
    path = work / f"nginx-{mode}.conf"
    path.write_text(f"""
        daemon off; master_process off; worker_processes 1; pid {work}/nginx-{mode}.pid; error_log {work}/nginx.log error;
        events {{ worker_connections 16384; }}
        http {{ access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
          keepalive_requests 1000000000;
          upstream load {{ {servers(ports.backends)} {sticky} keepalive 512; keepalive_requests 1000000000; }}
          upstream {HOSTILE} {{ {servers(ports.hostile)} keepalive 512; keepalive_requests 1000000000; }}
          {server("load", " backlog=4096")} {server(HOSTILE)}
        }}""")
    return str(path)


def haproxy_config(work, ports, mode):
    sticky = {
        "cookie": "cookie srv_id insert indirect nocache",
        "learn": "stick-table type string len 64 size 100k expire 10m\n  stick on req.cook(sid)",
    }[mode]
    mark = (lambda name: f" cookie {name}") if mode == "cookie" else (lambda name: "")
    servers = "".join(f"  server {name} 127.0.0.1:{port}{mark(name)}\n" for name, port in zip("abc", ports.backends))
    path = work / f"haproxy-{mode}.cfg"
    path.write_text(
        "global\n  nbthread 1\n  maxconn 8192\n  tune.ssl.default-dh-param 2048\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        "  option forwardfor\n  http-reuse always\n"
        f"frontend f\n  bind 127.0.0.1:{ports.plain}\n  bind 127.0.0.1:{ports.tls} ssl crt {work}/tls.pem\n  default_backend b\nbackend b\n  balance roundrobin\n  {sticky}\n{servers}")
    return str(path)


def backends(work, name, ports):
    """The command of servers at these ports that answer /N with N bytes."""
    program = shutil.which("nginx") or find_nginx()
    if not program:
        sys.exit("load: nginx is missing, which the backends need (Debian package nginx-light)")
    (work / "html").mkdir(exist_ok=True)
    for size in SIZES:
        (work / f"html/{size}").write_bytes(b"x" * size)
    servers = "".join(f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ root {work}/html; try_files $uri /64; }} }}\n" for port in ports)
    configuration = work / f"{name}.conf"
    configuration.write_text(f"""
        daemon off; master_process off; worker_processes 1; pid {work}/{name}.pid; error_log {work}/{name}.log error;
        events {{ worker_connections 8192; }}
        http {{ access_log off; keepalive_requests 1000000000; open_file_cache max=10; sendfile on; tcp_nopush on; default_type text/plain;
          client_body_temp_path {work}/{name}-b; proxy_temp_path {work}/{name}-p; fastcgi_temp_path {work}/{name}-f;
          uwsgi_temp_path {work}/{name}-u; scgi_temp_path {work}/{name}-s; large_client_header_buffers 4 16k; {servers} }}""")
    return [program, "-c", str(configuration), "-p", str(work)]
