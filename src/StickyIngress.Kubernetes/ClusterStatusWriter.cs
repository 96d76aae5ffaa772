using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Status;
using StickyIngress.Kubernetes.Status;

namespace StickyIngress.Kubernetes;

/*
 * What should be written is kept by every replica; only the leader writes it, and compares first with what is there, so a new leader that
 * finds all as it should be writes nothing. An entry is due at a time: soon after a publish, later when only counts of peers are new, later
 * still after a failure. One loop takes the due ones, oldest first, and writes no faster than allowed.
 */

/// <summary>Writes conditions into the status of our objects, and our Service's address into that of our Ingresses.</summary>
public sealed class ClusterStatusWriter : BackgroundService, IStatusWriter
{
    private readonly ApiServer _server;
    private readonly ClusterSource _source;
    private readonly LeaderLease _lease;
    private readonly ClusterOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger<ClusterStatusWriter> _logger;
    private readonly EventWriter _events;

    private readonly Lock _gate = new();
    private readonly Dictionary<ResourceRef, Entry> _entries = [];
    private readonly PriorityQueue<ResourceRef, DateTimeOffset> _due = new();
    private readonly SemaphoreSlim _signal = new(0, 1);

    public ClusterStatusWriter(
        ApiServer server, ClusterSource source, LeaderLease lease, ClusterOptions options, TimeProvider time, Random random,
        ILogger<ClusterStatusWriter> logger)
    {
        (_server, _source, _lease, _options, _time, _random, _logger) = (server, source, lease, options, time, random, logger);
        _events = new(server, options, time, logger);
        source.StatusChanged += Recheck;
        source.PublishedServiceChanged += RecheckAll;
        lease.Changed += RecheckAll;
    }

    private StatusRates Rates => _options.Status;

    /// <summary>Takes note and returns; the writing happens behind.</summary>
    public Task WriteAsync(ImmutableArray<ResourceStatus> statuses, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            foreach (var status in statuses.Where(it => it.Resource.Kind is StickyUpstream.KindName or Ingress.KindName))
            {
                if (!_entries.TryGetValue(status.Resource, out var entry)) _entries[status.Resource] = entry = new(status, Retry());
                entry.Status = status;
                Schedule(status.Resource, entry, Rates.Batch);
            }
        }

        return Task.CompletedTask;
    }

    public override void Dispose()
    {
        _source.StatusChanged -= Recheck;
        _source.PublishedServiceChanged -= RecheckAll;
        _lease.Changed -= RecheckAll;
        _signal.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pace = TimeSpan.FromSeconds(1.0 / Rates.WritesPerSecond);
        try
        {
            while (true)
            {
                var (named, entry, wait) = Next();
                if (entry is null)
                {
                    await WaitAsync(wait, stoppingToken);
                    continue;
                }

                var began = _time.GetTimestamp();
                if (!await HandleAsync(named, entry, stoppingToken)) continue;

                var left = pace - _time.GetElapsedTime(began);
                if (left > TimeSpan.Zero) await Task.Delay(left, _time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops; the next leader finds what is left to write.
        }
    }

    /// <summary>The next entry that is due, or how long nothing is.</summary>
    private (ResourceRef Named, Entry? Entry, TimeSpan Wait) Next()
    {
        lock (_gate)
        {
            while (_lease.IsLeader && _due.TryPeek(out var named, out var at))
            {
                if (!_entries.TryGetValue(named, out var entry) || entry.Due != at)
                {
                    _due.Dequeue();
                    continue;
                }

                var wait = at - _time.GetUtcNow();
                if (wait > TimeSpan.Zero) return (default, null, wait);

                _due.Dequeue();
                entry.Due = null;
                return (named, entry, TimeSpan.Zero);
            }

            return (default, null, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        using var over = new CancellationTokenSource(wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stopping);
        await _signal.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.ThrowIfCancellationRequested();
    }

    /// <summary>Whether anything was sent. Whatever the API server does to us is tried again.</summary>
    private async Task<bool> HandleAsync(ResourceRef named, Entry entry, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(Rates.Answer, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            var sent = named.Kind == Ingress.KindName
                ? await WriteIngressAsync(named, entry, either.Token)
                : await WriteUpstreamAsync(named, entry, either.Token);
            entry.Retry.Reset();
            return sent;
        }
        catch (ApiServerException e) when (e.Code == (int)HttpStatusCode.NotFound)
        {
            Forget(named);
        }
        catch (Exception e) when (e is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // 409 too: by the next try the watch has brought the object as it is now.
            Log.StatusFailed(_logger, named.ToString(), patience.IsCancellationRequested ? $"no answer within {Rates.Answer.TotalSeconds} s" : e.Message);
            var wait = entry.Retry.Next((e as ApiServerException)?.RetryAfter);
            lock (_gate) Schedule(named, entry, wait);
        }

        return true;
    }

    private async Task<bool> WriteUpstreamAsync(ResourceRef named, Entry entry, CancellationToken stopping)
    {
        var status = entry.Status;
        if (status.Gone || !_source.TryGetUpstream(named, out var upstream))
        {
            Forget(named);
            return false;
        }

        // Written for a newer generation already; its own status is on its way.
        if (upstream.Metadata.Generation > status.Generation) return false;

        var there = entry.Current(upstream.Metadata, upstream.Status);
        var next = StatusConditions.Of(status, upstream.Spec.Sticky, there, _time.GetUtcNow());
        var same = StatusConditions.SaysTheSame(next, there);
        if (same && next.Peers == there!.Peers) return false;

        var rest = Rates.PeersInterval - (_time.GetUtcNow() - entry.WrittenAt);
        if (same && rest > TimeSpan.Zero)
        {
            lock (_gate) Schedule(named, entry, rest);
            return false;
        }

        var path = $"/apis/{StickyUpstream.ApiVersion}/namespaces/{named.Namespace}/{StickyUpstream.Plural}/{named.Name}";
        entry.Wrote(next, await ApplyAsync(path, StatusJson.Of(upstream, next), stopping), _time.GetUtcNow());
        Log.StatusWritten(_logger, named.ToString());
        await _events.TellAsync(upstream, StickyUpstream.ApiVersion, status, stopping);
        return true;
    }

    private async Task<bool> WriteIngressAsync(ResourceRef named, Entry entry, CancellationToken stopping)
    {
        var status = entry.Status;
        if (status.Gone || !_source.TryGetIngress(named, out var ingress))
        {
            Forget(named);
            return false;
        }

        await _events.TellAsync(ingress, "networking.k8s.io/v1", status, stopping);
        if (_source.PublishedAddresses is not { } addresses || addresses.SequenceEqual(ingress.LoadBalancerAddresses)) return false;

        // Until the watch shows our own write, the object looks as if it still had to be written.
        var unseen = IsOlder(ingress.Metadata, entry.WrittenVersion);
        if (unseen && entry.WrittenAddresses is { } written && addresses.SequenceEqual(written)) return false;

        var path = $"/apis/networking.k8s.io/v1/namespaces/{named.Namespace}/ingresses/{named.Name}";
        entry.Wrote(null, await ApplyAsync(path, StatusJson.Of(ingress, addresses), stopping), _time.GetUtcNow());
        entry.WrittenAddresses = addresses;
        Log.StatusWritten(_logger, named.ToString());
        return true;
    }

    /// <summary>The version that the object then has.</summary>
    private async Task<string> ApplyAsync(string path, JsonObject json, CancellationToken stopping)
    {
        using var content = new StringContent(json.ToJsonString(), Encoding.UTF8);
        content.Headers.ContentType = new("application/apply-patch+yaml");
        var query = $"{path}/status?fieldManager=sticky-ingress&force=true";
        using var response = await _server.SendAsync(HttpMethod.Patch, query, content, HttpVersion.Version11, stopping);
        await using var body = await response.Content.ReadAsStreamAsync(stopping);
        var written = await JsonNode.ParseAsync(body, cancellationToken: stopping);
        return (string?)written?["metadata"]?["resourceVersion"] ?? "";
    }

    private void Forget(ResourceRef named)
    {
        _events.Forget(named);
        lock (_gate)
        {
            // A status that came in the meantime may be of an object that was made anew.
            if (_entries.TryGetValue(named, out var entry) && entry.Due is null) _entries.Remove(named);
        }
    }

    private void Recheck(ResourceRef named)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(named, out var entry)) Schedule(named, entry, Rates.Batch);
        }
    }

    private void RecheckAll()
    {
        lock (_gate)
        {
            foreach (var (named, entry) in _entries) Schedule(named, entry, Rates.Batch);
            Signal();
        }
    }

    /// <summary>Due after the wait, or sooner if it was. The gate is held.</summary>
    private void Schedule(ResourceRef named, Entry entry, TimeSpan wait)
    {
        var at = _time.GetUtcNow() + wait;
        if (entry.Due <= at) return;

        entry.Due = at;
        _due.Enqueue(named, at);
        Signal();
    }

    private void Signal()
    {
        if (_signal.CurrentCount == 0) _signal.Release();
    }

    private Backoff Retry() => new(Rates.FirstRetry, Rates.LastRetry, _random);

    private static bool IsOlder(ObjectMeta metadata, string? version) =>
        ulong.TryParse(metadata.ResourceVersion, out var seen) && ulong.TryParse(version, out var written) && seen < written;

    private sealed class Entry(ResourceStatus status, Backoff retry)
    {
        private StickyUpstreamStatus? _written;

        public ResourceStatus Status { get; set; } = status;

        public Backoff Retry => retry;

        /// <summary>Null: not scheduled.</summary>
        public DateTimeOffset? Due { get; set; }

        public DateTimeOffset WrittenAt { get; private set; } = DateTimeOffset.MinValue;

        public string? WrittenVersion { get; private set; }

        public IReadOnlyList<string>? WrittenAddresses { get; set; }

        public void Wrote(StickyUpstreamStatus? written, string version, DateTimeOffset now) =>
            (_written, WrittenVersion, WrittenAt) = (written, version, now);

        /// <summary>What is there: as the watch shows it, unless that is from before our last write.</summary>
        public StickyUpstreamStatus? Current(ObjectMeta metadata, StickyUpstreamStatus? shown) =>
            _written is not null && IsOlder(metadata, WrittenVersion) ? _written : shown;
    }
}
