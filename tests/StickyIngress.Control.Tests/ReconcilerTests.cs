using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Upstreams;
using StickyIngress.Testing.Dns;

namespace StickyIngress.Control.Tests;

public sealed class ReconcilerTests : IResourceSource, IHostResolver, IReconcileObserver, IAsyncDisposable
{
    /// <summary>Asked for, it is never answered.</summary>
    private const string SlowName = "slow.test";

    private readonly Channel<ResourceSet> _sets = Channel.CreateUnbounded<ResourceSet>();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ManifestSet _manifests = new();
    private readonly SnapshotHolder _snapshots = new();
    private readonly ReconcilerState _state = new();
    private readonly LogLines _log = new();
    private readonly ConcurrentDictionary<string, ImmutableArray<IPAddress>> _names = new();
    private readonly ConcurrentQueue<CompileResult> _published = new();
    private readonly SessionZones _zones;
    private readonly Reconciler _reconciler;
    private int _failures;
    private volatile bool _slowAsked;

    public ReconcilerTests()
    {
        var (states, clock) = (new UpstreamStates(), new Clock(_time));
        _zones = new(new byte[32], _time);
        var compiler = new SnapshotCompiler(
            new() { Standalone = true }, states, new(new(AffinityKeys.CreateRandom()), _zones, clock, new Random(1)), new(), _time);
        _reconciler = new(this, this, compiler, _snapshots, states, _zones, clock, new LogStatusWriter(_log.For<LogStatusWriter>()), [this], [], _state, _time,
            _log.For<Reconciler>());
    }

    public async ValueTask DisposeAsync()
    {
        await _reconciler.StopAsync(TestContext.Current.CancellationToken);
        _reconciler.Dispose();
        _zones.Dispose();
    }

    [Fact]
    public async Task Publishes_what_comes_and_says_each_diagnostic_once()
    {
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(SnapshotCompilerTests.Address("u", "10.0.0.1") + "---\n" + SnapshotCompilerTests.Address("bad", "10.0.0.1:0"));
        await Until(() => _state.IsReady);
        Put(SnapshotCompilerTests.Address("u", "10.0.0.2"), "b.yaml");
        Put(SnapshotCompilerTests.Address("v", "10.0.0.3"), "c.yaml");
        await Until(() => _snapshots.Current.Find(new("default", "v")) is not null);

        Assert.NotNull(_snapshots.Current.Find(new("default", "u")));
        await Until(() => _state.Revision == _snapshots.Current.Revision); // which follows
        Assert.Equal(_snapshots.Current.Revision, _state.Revision);
        Assert.Contains(_state.Diagnostics, found => found.Reason == Reasons.InvalidAddress);
        Assert.Single(_log.Lines, line => line.Contains(Reasons.InvalidAddress, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Forgets_what_is_gone_and_tells_the_observers()
    {
        const string learn = "sticky: { learn: { create: [$upstream_cookie_s], lookup: [$cookie_s], zone: { name: z, size: 64k } } }";
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(SnapshotCompilerTests.Address("u", "10.0.0.1", learn));
        await Until(() => _state.Revision == 1);
        var zone = Assert.Single(_zones.All).Name;

        Put(SnapshotCompilerTests.Address("u", "10.0.0.1"));
        await Until(() => _state.Revision == 2);
        Put("");
        await Until(() => _state.Revision == 3);

        Assert.Equal("default/z", zone);
        Assert.Empty(_zones.All);
        Assert.Null(Assert.Single(_published.Last().Changes).Current);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_asked_for_again_and_then_serves()
    {
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(SnapshotCompilerTests.Address("u", "late.test"));
        await Until(() => _state.Diagnostics.Any(found => found.Reason == Reasons.HostNotFound));

        _names["late.test"] = [IPAddress.Parse("10.0.0.7")];
        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _state.Diagnostics.IsEmpty;
        });

        Assert.Equal("10.0.0.7:80", Assert.Single(_snapshots.Current.Find(new("default", "u"))!.Peers).Name);
    }

    [Fact]
    public async Task A_followed_name_is_published_with_its_first_answer_and_again_whenever_it_changes()
    {
        await using var dns = DnsServer.Start();
        dns.SetA("a.test", 5, "10.0.0.1");
        dns.SetA("b.test", 500, "10.0.0.9");
        string Follows(string name, string host) => $"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: {name} }}\n"
            + $"spec:\n  servers: [{{ name: s, address: {host}, resolve: true }}]\n  resolver: {{ addresses: [\"{dns.EndPoint}\"], ipv6: false }}\n";
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(Follows("u", "a.test") + "---\n" + Follows("v", "b.test") + "---\n" + Follows("w", "a.test"));
        await Until(() => Names("u") == "10.0.0.1:80" && Names("w") == "10.0.0.1:80" && Names("v") == "10.0.0.9:80");
        var state = _snapshots.Current.Find(new("default", "u"))!.Peers.Single().State;
        var other = _snapshots.Current.Find(new("default", "v"));

        dns.SetA("a.test", 500, "10.0.0.2", "10.0.0.1");
        _time.Advance(TimeSpan.FromSeconds(6));
        await Until(() => Names("u") == "10.0.0.1:80 10.0.0.2:80" && Names("w") == "10.0.0.1:80 10.0.0.2:80");

        Assert.Same(state, _snapshots.Current.Find(new("default", "u"))!.Peers.First().State);
        Assert.Same(other, _snapshots.Current.Find(new("default", "v")));
        Assert.Equal(2, dns.Asked.Count(asked => asked.Name == "a.test"));
    }

    [Fact]
    public async Task A_source_that_fails_is_started_again_and_what_was_published_serves()
    {
        _failures = 2;
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(SnapshotCompilerTests.Address("u", "10.0.0.1"));

        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _state.IsReady;
        });

        Assert.Equal(2, _log.Lines.Count(line => line.Contains("started again", StringComparison.Ordinal)));
    }

    // One that was skipped would have to be found out by comparing everything.
    [Fact]
    public async Task The_next_set_is_taken_only_when_the_one_before_is_in_service()
    {
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(SnapshotCompilerTests.Address("u", SlowName));
        Put(SnapshotCompilerTests.Address("v", "10.0.0.1"), "b.yaml");
        await Until(() => _slowAsked);
        var waiting = _sets.Reader.Count;

        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _snapshots.Current.Find(new("default", "v")) is not null;
        });

        Assert.Equal(1, waiting);
        Assert.Equal([1, 2], _published.Select(result => result.Resources.Version).Distinct());
    }

    async IAsyncEnumerable<ResourceSet> IResourceSource.WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_failures-- > 0) throw new InvalidOperationException("broken");

        await foreach (var set in _sets.Reader.ReadAllAsync(cancellationToken)) yield return set;
    }

    Task<ImmutableArray<IPAddress>> IHostResolver.ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (_names.TryGetValue(host, out var addresses)) return Task.FromResult(addresses);
        if (host != SlowName) return Task.FromException<ImmutableArray<IPAddress>>(new SocketException((int)SocketError.HostNotFound));

        _slowAsked = true;
        return new TaskCompletionSource<ImmutableArray<IPAddress>>().Task;
    }

    void IReconcileObserver.Compiled(TimeSpan duration, CompileResult result)
    {
    }

    void IReconcileObserver.Published(CompileResult result) => _published.Enqueue(result);

    [Fact]
    public async Task Tells_that_a_certificate_has_ended_when_it_does()
    {
        var end = _time.GetUtcNow().AddSeconds(30);
        await _reconciler.StartAsync(TestContext.Current.CancellationToken);
        Put(TlsTests.Secret("one", TlsTests.Certificate(end, "one.test")) + "---\n" + SnapshotCompilerTests.Address("u", "10.0.0.1", "tls: [{ secretName: one }]"));
        await Until(() => _state.IsReady);
        Assert.Empty(_state.Diagnostics);

        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _state.Diagnostics.Any(found => found.Reason == Reasons.CertificateExpired);
        });

        Assert.True(_time.GetUtcNow() >= end, $"told at {_time.GetUtcNow()}");
    }

    private void Put(string yaml, string file = "a.yaml")
    {
        _manifests.Put(file, ManifestReader.Read(yaml, file));
        _sets.Writer.TryWrite(_manifests.Build());
    }

    private string? Names(string upstream) => _snapshots.Current.Find(new("default", upstream)) is { } known
        ? string.Join(' ', known.Peers.Select(peer => peer.Name))
        : null;

    private static async Task Until(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class LogLines
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger<T> For<T>() => new Logger<T>(this);

        private sealed class Logger<T>(LogLines log) : ILogger<T>
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                log.Lines.Enqueue(formatter(state, exception));
        }
    }
}
