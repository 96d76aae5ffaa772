using System.Text.RegularExpressions;
using StickyIngress.Api;
using StickyIngress.Core;
using StickyIngress.Testing;

namespace StickyIngress.Tests.Import;

/// <summary>What each part of a configuration becomes.</summary>
public sealed partial class ImportNginxTests
{
    private const string Shop = """
        http {
            proxy_connect_timeout 5s;
            proxy_set_header Host $host;
            map $cookie_jsessionid $route_cookie { ~^.+\.(?P<route>\w+)$ $route; default none; }
            upstream Shop_1 {
                zone shop 64k;
                sticky route $route_cookie;
                server 127.0.0.1:8001 weight=2 route=a;
                server 127.0.0.1:8002 weight=3 weight=4 backup;
            }
            server {
                listen 443 ssl default_server;
                server_name .example.com;
                ssl_certificate /etc/tls/a.pem;
                location / { proxy_pass http://Shop_1; }
                location = /x { proxy_pass http://shop_1; proxy_read_timeout 1m30s; }
                location ~* \.php$ { proxy_pass http://127.0.0.1:9000; proxy_redirect off; }
                location /s/ { root /var/www; }
            }
        }
        """;

    [Fact]
    public async Task Locations_of_one_upstream_become_routes_with_what_is_their_own()
    {
        var imported = await Importing.RunAsync(Shop);

        Assert.Equal(0, imported.ExitCode);
        var spec = imported.Resources.Single(upstream => upstream.Metadata.Name == "shop-1").Spec;
        Assert.Equal(TimeSpan.FromSeconds(5), spec.Proxy.ConnectTimeout);
        Assert.Null(spec.Proxy.ReadTimeout);
        Assert.Equal([2, 4], spec.Servers.Select(server => server.Weight));
        var own = spec.Routes.Where(route => route.Proxy is not null).ToArray();
        Assert.All(own, route => Assert.Equal(TimeSpan.FromSeconds(90), route.Proxy!.ReadTimeout));
        Assert.All(own, route => Assert.Equal([new PathSpec { Path = "/x", PathType = PathType.Exact }], route.Paths));
        Assert.Contains(spec.Routes, route => route.Hosts.SequenceEqual(["example.com", "*.example.com"]));
        Assert.Contains(spec.Routes, route => route.Hosts.Count == 0);
        Assert.Equal("example-com-tls", Assert.Single(spec.Tls).SecretName);
        Assert.Equal(["^.+\\.(?<route>\\w+)$", "^"], spec.Variables.Select(variable => variable.Match));
        imported.Compile("shop-1");
    }

    [Theory]
    [InlineData("return 301 https://$host$request_uri;", "a.test www.a.test", "redirect: a.test; serve: *.a.test", "301")]
    [InlineData("location / { return 308 https://$host$request_uri; }", "A.test *.a.test", "redirect: a.test *.a.test", "")]
    [InlineData("return 302 https://$server_name$request_uri;", "_", "redirect: a.test *.a.test", "302")]
    [InlineData("return 301 https://$host$request_uri;", "b.test", "serve: a.test *.a.test", "no server with a certificate has its names")]
    [InlineData("return 301 https://b.test$request_uri;", "a.test", "serve: a.test *.a.test", "no counterpart: return")]
    [InlineData("location / { return 301 https://$host$request_uri; } location /x { proxy_pass http://one; }", "a.test", "serve: a.test *.a.test", "no counterpart: return")]
    public async Task A_server_that_sends_to_https_becomes_a_redirect(string inside, string names, string expected, string said)
    {
        var imported = await Importing.RunAsync($$"""
            http {
                upstream one { server 127.0.0.1:8001; }
                upstream two { server 127.0.0.1:8002; }
                server {
                    listen 443 ssl;
                    server_name .a.test;
                    ssl_certificate /etc/tls/a.pem;
                    location / { proxy_pass http://one; }
                    location /two/ { proxy_pass http://two; }
                }
                server { listen 80; server_name {{names}}; {{inside}} }
            }
            """);

        var (one, two) = (imported.Resources[0].Spec.Tls, imported.Resources[1].Spec.Tls);
        Assert.Equal(expected, string.Join("; ", one.Select(tls => $"{(tls.Redirect ? "redirect" : "serve")}: {string.Join(' ', tls.Hosts)}")));
        Assert.Equal(one.Where(tls => tls.Redirect), two);
        Assert.Equal(said.Length > 0, imported.Said.Contains("return", StringComparison.Ordinal) || imported.Said.Contains("308 here", StringComparison.Ordinal));
        Assert.Contains(said is "301" or "302" ? "warning: plain http is answered with 308 here" : said, imported.Said, StringComparison.Ordinal);
        imported.Compile("one");
        imported.Compile("two");
    }

    [Fact]
    public async Task An_address_in_proxy_pass_is_an_upstream_that_keeps_no_connections()
    {
        var imported = await Importing.RunAsync(Shop);

        var spec = imported.Resources.Single(upstream => upstream.Metadata.Name == "127-0-0-1-9000").Spec;
        Assert.Equal(0, spec.Keepalive?.Connections);
        Assert.All(spec.Routes, route => Assert.Equal([new PathSpec { Path = @"(?i)\.php$", PathType = PathType.Regex }], route.Paths));
    }

    [Theory]
    [InlineData("nginx.conf:17: no counterpart: proxy_redirect off")]
    [InlineData("nginx.conf:18: no counterpart: root /var/www")]
    [InlineData("nginx.conf:14: to do: make the Secret: kubectl create secret tls example-com-tls")]
    [InlineData("2 upstreams, 0 errors, 2 without counterpart, 0 warnings")]
    public async Task What_is_left_out_is_told_with_its_line(string line) => Assert.Contains(line, (await Importing.RunAsync(Shop)).Said, StringComparison.Ordinal);

    [Fact]
    public async Task Strict_fails_where_something_has_no_counterpart() => Assert.Equal(1, (await Importing.RunAsync(Shop, "--strict")).ExitCode);

    [Fact]
    public async Task A_method_named_after_sticky_switches_it_off()
    {
        var imported = await Importing.RunAsync("upstream u { sticky cookie a; least_conn; server 127.0.0.1; }");

        Assert.Null(imported.Spec.Sticky);
        Assert.Equal(BalancingMethod.LeastConn, imported.Spec.Balancing.Method);
        Assert.Contains("load balancing method redefined", imported.Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("down drain", false, true)]
    [InlineData("drain down", true, false)]
    public async Task Of_down_and_drain_the_last_holds(string flags, bool down, bool drain)
    {
        var server = (await Importing.RunAsync($"upstream u {{ server 127.0.0.1 {flags}; }}")).Spec.Servers[0];

        Assert.Equal((down, drain), (server.Down, server.Drain));
    }

    [Fact]
    public async Task Commercial_directives_have_their_fields()
    {
        var spec = (await Importing.RunAsync("""
            upstream u { zone u 64k; resolver 10.0.0.1 valid=30s; resolver_timeout 5s; least_time last_byte inflight; queue 10 timeout=5s; ntlm;
                keepalive 8; keepalive_requests 7; server a.test service=http resolve slow_start=30s; }
            match ok { status ! 500; header Server = x; body ~ up; }
            server { location / { proxy_pass http://u; health_check interval=1s fails=2 uri=/up match=ok mandatory persistent; } }
            """)).Spec;

        Assert.Equal((10, 5.0, true), (spec.Queue!.Size, spec.Queue.Timeout.TotalSeconds, spec.Ntlm));
        Assert.Equal(new LeastTimeSpec { Measure = LeastTimeMeasure.LastByte, Inflight = true }, spec.Balancing.LeastTime);
        Assert.Equal(new KeepaliveSpec { Connections = 8, Requests = 7 }, spec.Keepalive);
        Assert.Equal((30.0, 5.0), (spec.Resolver!.Valid!.Value.TotalSeconds, spec.Resolver.Timeout.TotalSeconds));
        Assert.Equal(("http", true, 30.0), (spec.Servers[0].Srv, spec.Servers[0].Resolve, spec.Servers[0].SlowStart.TotalSeconds));
        Assert.Equal(new HealthMatchSpec { Status = ["! 500"], Headers = ["Server = x"], Body = "~ up" }, spec.HealthCheck!.Match);
        Assert.Equal((2, "/up", true), (spec.HealthCheck.Fails, spec.HealthCheck.Path, spec.HealthCheck.Persistent));
    }

    [Theory]
    [InlineData("upstream u { server 127.0.0.1; keepalive 70000; }", "numbers end at 65535, which is written instead of 70000")]
    [InlineData("upstream u { server 127.0.0.1; keepalive_requests 3000000000; }", "numbers end at 2147483647, which is written instead of 3000000000")]
    [InlineData("upstream u { server 127.0.0.1; queue 2000000; }", "numbers end at 1000000, which is written instead of 2000000")]
    [InlineData("upstream u { server 127.0.0.1 weight=70000; }", "numbers end at 65535, which is written instead of 70000")]
    [InlineData("upstream u { server 127.0.0.1; } server { location / { proxy_pass http://u; client_body_buffer_size 32m; } }", "numbers end at 16777216, which is written instead of 33554432")]
    [InlineData("upstream u { server 127.0.0.1; } server { location / { proxy_pass http://u; client_body_buffer_size 32m; proxy_request_buffering on; } }", "numbers end at 16777216, which is written instead of 33554432")]
    [InlineData("upstream u { server 127.0.0.1; } server { location / { proxy_pass http://u; proxy_next_upstream_tries 3000000000; } }", "numbers end at 2147483647, which is written instead of 3000000000")]
    [InlineData("upstream u { zone u 64k; server 127.0.0.1; } server { location / { proxy_pass http://u; health_check fails=3000000000; } }", "numbers end at 2147483647, which is written instead of 3000000000")]
    public async Task A_number_that_is_too_large_here_is_cut_and_told(string configuration, string said)
    {
        var imported = await Importing.RunAsync(configuration);

        Assert.Matches($@"nginx\.conf:1: no counterpart: .*{said}", imported.Said);
        imported.Compile();
    }

    [Fact]
    public async Task The_peers_see_the_host_that_nginx_would_send()
    {
        var spec = (await Importing.RunAsync("upstream u { server 127.0.0.1; } server { location / { proxy_pass https://u; add_header X-Up $upstream_addr always; } }")).Spec;

        Assert.Equal(("u", ProxyProtocol.HTTPS, false), (spec.Proxy.Host, spec.Proxy.Protocol, spec.Proxy.Tls!.Verify));
        Assert.Equal(new ResponseHeaderSpec { Name = "X-Up", Value = "$upstream_addr", Always = true }, Assert.Single(spec.Proxy.ResponseHeaders!));
    }

    [Fact]
    public async Task Includes_are_found_by_pattern_beside_the_main_file()
    {
        var folder = Directory.CreateTempSubdirectory("import-nginx");
        Directory.CreateDirectory(Path.Combine(folder.FullName, "conf.d"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "nginx.conf"), "http { include conf.d/*.conf; }", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "conf.d", "b.conf"), "upstream b { server 127.0.0.1; }\n\nworker 1;", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "conf.d", "a.conf"), "upstream a { server 127.0.0.1; }", TestContext.Current.CancellationToken);

        var imported = await Importing.RunFileAsync(Path.Combine(folder.FullName, "nginx.conf"));
        folder.Delete(recursive: true);

        Assert.Equal(["a", "b"], imported.Resources.Select(upstream => upstream.Metadata.Name));
        Assert.Contains("b.conf:3: no counterpart: worker 1", imported.Said, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Cookies
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var entry in Vectors.Load("cookie_attributes.json").GetProperty("entries").EnumerateArray())
            {
                var directive = entry.GetProperty("directive").GetString()!;
                if (!directive.Contains("$arg_", StringComparison.Ordinal) && !directive.Contains("{arg_", StringComparison.Ordinal)
                    && !directive.Contains("a b", StringComparison.Ordinal))
                {
                    rows.Add(directive, entry.GetProperty("set_cookie").GetString()!);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cookies))]
    public async Task Cookies_are_issued_as_nginx_issues_them(string directive, string recorded)
    {
        var routed = recorded.EndsWith("=a", StringComparison.Ordinal) ? " route=a" : "";
        var upstream = (await Importing.RunAsync($"upstream u {{ {directive}; server 127.0.0.1:21001{routed}; }}")).Compile();
        var selection = new Selection(upstream, new ImportedRequest(), 0);
        using var lease = new PeerSelector(new Clock(TimeProvider.System)).Select(selection).Lease;

        // A path is always sent, and a browser demands Secure with samesite=none; the date depends on the time.
        var expected = directive.Contains("path=", StringComparison.Ordinal) ? recorded : $"{recorded}; path=/";
        Assert.Equal(Undated().Replace(expected, "${word}"), Undated().Replace(selection.SetCookie!, "${word}"), ignoreCase: true);
    }

    [GeneratedRegex("(?<word>expires=)[^;]*", RegexOptions.NonBacktracking)]
    private static partial Regex Undated();
}
