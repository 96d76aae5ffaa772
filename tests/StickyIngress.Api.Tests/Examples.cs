namespace StickyIngress.Api.Tests;

/// <summary>Documents that tests begin from.</summary>
internal static class Examples
{
    /// <summary>Every field of the reference page at once, as far as they go together.</summary>
    public const string Everything = """
        apiVersion: stickyingress.io/v1alpha1
        kind: StickyUpstream
        metadata: { name: shop, namespace: web }
        spec:
          ingressClassName: sticky
          routes:
          - hosts: [shop.example.com, "*.shop.example.com"]
            paths:
            - { path: /cart, pathType: Prefix }
            proxy: {}
          tls:
          - { hosts: [shop.example.com], secretName: shop-tls, redirect: false }
          servers:
          - name: web
            service: { name: web, port: http }
            weight: 1
            maxConns: 0
            maxFails: 1
            failTimeout: 10s
            slowStart: 0s
            backup: false
            down: false
            drain: false
            route: a
          - name: more
            service: { name: more, port: 8080 }
            routeFrom: PodName
          - name: legacy
            address: legacy.internal:8080
            resolve: true
          - name: found
            address: legacy.internal
            resolve: true
            srv: http
          resolver: { addresses: ["10.0.0.1", "[::1]:5353"], valid: 30s, ipv4: true, ipv6: true, timeout: 30s, statusZone: dns }
          balancing:
            method: Hash
            hash: { key: "$request_uri", consistent: true }
          sticky:
            cookie:
              name: srv_id
              value: Opaque
              expires: 1h
              domain: .example.com
              path: /
              httpOnly: true
              secure: Auto
              sameSite: Lax
              partitioned: false
              issue: OnChange
              hide: true
            identity: PodUID
            onUnavailable: Rebind
          variables:
          - { name: route_cookie, from: "$cookie_jsessionid", match: '^.+\.(?<route>\w+)$', value: "$route" }
          proxy:
            protocol: HTTP
            host: "$host"
            setHeaders:         [{ name: X-Request-Id, value: "$request_id" }]
            responseHeaders:    [{ name: X-Upstream, value: "$upstream_addr", always: false }]
            connectTimeout: 60s
            sendTimeout: 60s
            readTimeout: 60s
            maxBodySize: 1m
            nextUpstream: { on: [Error, Timeout], tries: 0, timeout: 0s }
            tls: { serverName: "", verify: true, caSecretName: "", clientCertSecretName: "" }
          keepalive: { connections: 32, requests: 1000, time: 1h, timeout: 60s }
          queue: { size: 100, timeout: 60s }
          ntlm: false
          healthCheck: { path: /, port: 0, interval: 5s, jitter: 0s, fails: 1, passes: 1, timeout: 5s, mandatory: false, persistent: false,
                         match: { status: ["200-399"], headers: [], body: "" } }
        status:
          observedGeneration: 1
          conditions: [Accepted, ResolvedRefs, Programmed, Ready]
          peers: { total: 3, available: 2, draining: 1, unavailable: 0 }
        """;

    /// <summary>The other two modes and methods of the reference page.</summary>
    public const string LearnAndLeastTime = """
        servers: [{ name: a, address: "10.0.0.1:80" }]
        balancing: { method: LeastTime, leastTime: { measure: Header, inflight: false } }
        sticky:
          learn:
            create: ["$upstream_cookie_sid"]
            lookup: ["$cookie_sid"]
            zone: { name: sessions, size: 1m }
            timeout: 10m
            header: false
            sync: false
        """;

    public const string RouteAndRandom = """
        servers: [{ name: a, address: "10.0.0.1:80" }]
        balancing: { method: Random, random: { two: true, method: LeastConn } }
        sticky: { route: { from: ["$route_cookie", "$route_uri"] }, onUnavailable: Fail, failStatus: 503 }
        """;

    /// <summary>A StickyUpstream shop/web with this spec, given as YAML without indentation.</summary>
    public static string WithSpec(string spec) => $"""
        apiVersion: stickyingress.io/v1alpha1
        kind: StickyUpstream
        metadata: {"{"} name: shop, namespace: web {"}"}
        spec:
          {spec.ReplaceLineEndings("\n  ")}
        """;

    public static ReadResult ReadSpec(string spec) => ResourceYaml.Read(WithSpec(spec), "shop.yaml");
}
