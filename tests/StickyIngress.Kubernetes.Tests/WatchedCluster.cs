using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Api;
using StickyIngress.Control.Sources;
using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

/// <summary>A fake API server and a source that watches it, with the patience of a test.</summary>
internal sealed class WatchedCluster : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<ResourceSet> _sets = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private readonly bool _owns;

    private WatchedCluster(FakeApiServer fake, bool owns)
    {
        (Fake, _owns) = (fake, owns);
        Server = new(new HttpClient { Timeout = Timeout.InfiniteTimeSpan }, fake.Address);
    }

    public FakeApiServer Fake { get; }

    public ApiServer Server { get; }

    public ClusterOptions Options { get; } = new()
    {
        Watch = new()
        {
            PageSize = 2,
            Answer = TimeSpan.FromMilliseconds(700),
            Silence = TimeSpan.FromMilliseconds(700),
            Healthy = TimeSpan.FromMilliseconds(200),
            FirstRetry = TimeSpan.FromMilliseconds(5),
            LastRetry = TimeSpan.FromMilliseconds(50),
            ForbiddenRetry = TimeSpan.FromMilliseconds(50),
        },
        PodName = "one",
        PodNamespace = "ingress",
        LeaderElection = false,
        Status = new() { Batch = TimeSpan.FromMilliseconds(20), PeersInterval = TimeSpan.FromMilliseconds(200), FirstRetry = TimeSpan.FromMilliseconds(20) },
    };

    public RecordingObserver Observer { get; } = new();

    public ClusterSource Source { get; private set; } = null!;

    public static async Task<WatchedCluster> PrepareAsync(params JsonObject[] objects)
    {
        var cluster = new WatchedCluster(await FakeApiServer.StartAsync(), owns: true);
        foreach (var given in objects) cluster.Fake.Store.Put(given);
        return cluster;
    }

    /// <summary>Another replica, which watches the same API server.</summary>
    public WatchedCluster Another(string podName)
    {
        var other = new WatchedCluster(Fake, owns: false);
        other.Options.PodName = podName;
        return other;
    }

    public static async Task<WatchedCluster> StartAsync(params JsonObject[] objects)
    {
        var cluster = await PrepareAsync(objects);
        cluster.Start();
        return cluster;
    }

    public void Start()
    {
        Source = new(Server, Options, Observer, TimeProvider.System, new Random(1), NullLogger<ClusterSource>.Instance);
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>The first set, now or later, of which that is true.</summary>
    public async Task<ResourceSet> UntilAsync(Func<ResourceSet, bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            Task next;
            lock (_gate)
            {
                if (_sets.LastOrDefault() is { } last && condition(last)) return last;
                next = _next.Task;
            }

            await next.WaitAsync(patience.Token);
        }
    }

    public Task<ResourceSet> FirstAsync() => UntilAsync(_ => true);

    public IReadOnlyList<ResourceSet> Sets
    {
        get
        {
            lock (_gate) return [.. _sets];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.WaitAsync(TimeSpan.FromSeconds(30));
        Server.Dispose();
        if (_owns) await Fake.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var set in Source.WatchAsync(_stop.Token)) Take(set);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The test is over.
        }
    }

    private void Take(ResourceSet set)
    {
        lock (_gate)
        {
            _sets.Add(set);
            var told = _next;
            _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            told.SetResult();
        }
    }
}

internal sealed class RecordingObserver : IClusterObserver
{
    private readonly Lock _gate = new();
    private readonly List<(string Kind, WatchRestart Reason)> _restarts = [];
    private readonly List<long> _endpointSets = [];
    private int _events;

    public int Events => Volatile.Read(ref _events);

    public IReadOnlyList<(string Kind, WatchRestart Reason)> Restarts
    {
        get
        {
            lock (_gate) return [.. _restarts];
        }
    }

    public IReadOnlyList<long> EndpointSets
    {
        get
        {
            lock (_gate) return [.. _endpointSets];
        }
    }

    public void WatchEvent(string kind) => Interlocked.Increment(ref _events);

    public void WatchRestarted(string kind, WatchRestart reason)
    {
        lock (_gate) _restarts.Add((kind, reason));
    }

    public void EndpointsChanged(long setVersion, DateTimeOffset arrived)
    {
        lock (_gate) _endpointSets.Add(setVersion);
    }
}

internal static class Refs
{
    public static ResourceRef Service(string space, string name) => new("Service", space, name);

    public static ResourceRef Upstream(string space, string name) => new("StickyUpstream", space, name);

    public static ResourceRef Ingress(string space, string name) => new("Ingress", space, name);

    public static ResourceRef Secret(string space, string name) => new("Secret", space, name);
}

/// <summary>Waits for what no event tells of.</summary>
internal static class Eventually
{
    public static async Task IsTrueAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(5), patience.Token);
    }
}
