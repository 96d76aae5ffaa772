using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StickyIngress.Kubernetes;

/*
 * One replica leads: it holds the Lease and renews it. Whoever wants it looks every Retry and takes it once it has not changed for as long
 * as its holder promised, measured by the own clock since the change was seen, so that clocks need not agree. The API server lets only one
 * of two takers through, since each writes on the version that it read. The holder stops leading when it could not renew for Deadline, which is
 * before others may take over; when it stops in order, it gives the Lease back so that nobody waits.
 */

/// <summary>Leadership by a coordination.k8s.io Lease. Every replica serves; only the leader writes status.</summary>
public sealed class LeaderLease(ApiServer server, ClusterOptions options, TimeProvider time, Random random, ILogger<LeaderLease> logger)
    : BackgroundService
{
    private readonly LeaseTimes _times = options.Lease;
    private string _seenVersion = "";
    private long _seenAt;
    private long _renewedAt;

    private string Collection => $"/apis/coordination.k8s.io/v1/namespaces/{options.PodNamespace}/leases";

    private string Lease => $"{Collection}/{options.LeaseName}";

    /// <summary>Whether this replica leads now. Without leader election it always does.</summary>
    public bool IsLeader { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); } = !options.LeaderElection;

    /// <summary>Raised when <see cref="IsLeader"/> changed; must not block.</summary>
    public event Action? Changed;

    /// <summary>Stops leading, then gives the Lease back.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!options.LeaderElection || !IsLeader) return;

        Lead(false);
        using var patience = new CancellationTokenSource(_times.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await ReadAsync(either.Token) is { } held && (string?)held["spec"]?["holderIdentity"] == options.PodName)
                await WriteAsync(HttpMethod.Put, Lease, Claim(held, holder: "", TimeSpan.FromSeconds(1)), either.Token);
        }
        catch (Exception e) when (IsOutside(e))
        {
            // It runs out by itself.
            Log.LeaseFailed(logger, e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.LeaderElection) return;

        while (!stoppingToken.IsCancellationRequested)
        {
            await TryAsync(stoppingToken);
            var wait = _times.Retry * (1 + random.NextDouble() / 5);
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TryAsync(CancellationToken stopping)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience(), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
            if (await TakeAsync(either.Token))
            {
                _renewedAt = time.GetTimestamp();
                Lead(true);
            }
            else
            {
                Lead(false);
            }
        }
        catch (Exception e) when (IsOutside(e))
        {
            if (stopping.IsCancellationRequested) return;

            Log.LeaseFailed(logger, e.Message);
            if (time.GetElapsedTime(_renewedAt) >= _times.Deadline) Lead(false);
        }
    }

    /// <summary>The holder may not wait past the moment at which it must have stopped leading.</summary>
    private TimeSpan Patience()
    {
        if (!IsLeader) return _times.Deadline;

        var left = _times.Deadline - time.GetElapsedTime(_renewedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Takes or renews the Lease; false when it is somebody else's.</summary>
    private async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        var held = await ReadAsync(cancellationToken);
        if (held is not null && !IsFree(held)) return false;

        try
        {
            if (held is null) await WriteAsync(HttpMethod.Post, Collection, Claim(null, options.PodName, _times.Duration), cancellationToken);
            else await WriteAsync(HttpMethod.Put, Lease, Claim(held, options.PodName, _times.Duration), cancellationToken);
            return true;
        }
        catch (ApiServerException e) when (e.Code == (int)HttpStatusCode.Conflict)
        {
            // Another was faster.
            return false;
        }
    }

    private bool IsFree(JsonObject held)
    {
        var version = (string?)held["metadata"]?["resourceVersion"] ?? "";
        if (version != _seenVersion) (_seenVersion, _seenAt) = (version, time.GetTimestamp());

        var holder = (string?)held["spec"]?["holderIdentity"] ?? "";
        if (holder.Length == 0 || holder == options.PodName) return true;

        var promised = TimeSpan.FromSeconds((int?)held["spec"]?["leaseDurationSeconds"] ?? 0);
        return time.GetElapsedTime(_seenAt) >= promised;
    }

    private JsonObject Claim(JsonObject? held, string holder, TimeSpan duration)
    {
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
        var spec = held?["spec"]?.DeepClone().AsObject() ?? [];
        var former = (string?)spec["holderIdentity"];
        if (former != holder)
        {
            spec["acquireTime"] = now;
            if (holder.Length > 0) spec["leaseTransitions"] = ((int?)spec["leaseTransitions"] ?? -1) + 1;
        }

        spec["holderIdentity"] = holder;
        spec["leaseDurationSeconds"] = (int)duration.TotalSeconds;
        spec["renewTime"] = now;
        var metadata = new JsonObject { ["name"] = options.LeaseName, ["namespace"] = options.PodNamespace };
        if (held?["metadata"]?["resourceVersion"] is { } version) metadata["resourceVersion"] = version.DeepClone();
        return new()
        {
            ["apiVersion"] = "coordination.k8s.io/v1",
            ["kind"] = "Lease",
            ["metadata"] = metadata,
            ["spec"] = spec,
        };
    }

    private async Task<JsonObject?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await server.SendAsync(HttpMethod.Get, Lease, null, HttpVersion.Version11, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return (await JsonNode.ParseAsync(body, cancellationToken: cancellationToken))?.AsObject();
        }
        catch (ApiServerException e) when (e.Code == (int)HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task WriteAsync(HttpMethod method, string path, JsonObject lease, CancellationToken cancellationToken)
    {
        using var content = new StringContent(lease.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await server.SendAsync(method, path, content, HttpVersion.Version11, cancellationToken);
    }

    private void Lead(bool leads)
    {
        if (IsLeader == leads) return;

        IsLeader = leads;
        if (leads) Log.Leads(logger, options.PodName);
        else Log.LeadsNoMore(logger, options.PodName);
        Changed?.Invoke();
    }

    private static bool IsOutside(Exception e) =>
        e is ApiServerException or HttpRequestException or IOException or OperationCanceledException or JsonException or InvalidOperationException;
}
