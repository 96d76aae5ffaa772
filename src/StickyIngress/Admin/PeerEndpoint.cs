using System.Net;
using System.Text.Json;
using StickyIngress.Control;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Clients;
using StickyIngress.Settings;

namespace StickyIngress.Admin;

/// <summary>
/// <c>/api/v1/upstreams/{namespace}/{name}/peers/{peer}</c>: GET shows a peer, PATCH changes it at run time. A change is answered when it is in
/// service (and in the state file), with the peer as it is then.
/// </summary>
/*
 * The port asks nobody for a password, so who may change peers is judged by the address: this machine (for a pod that is also kubectl
 * port-forward, which asks Kubernetes who you are) and the networks of --admin-changes-from. A page in somebody's browser on this machine is
 * kept out too: browsers send Origin with every PATCH, tools do not.
 */
internal sealed class PeerEndpoint(
    SnapshotHolder snapshots, PeerOverridesHolder overrides, ReconcilerState reconciler, UpstreamViews views, ServeSettings settings,
    ILogger<PeerEndpoint> logger)
{
    public const int LongestBody = 64 * 1024;

    private static readonly TimeSpan PublishPatience = TimeSpan.FromSeconds(10);
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public PeerAnswer Show(UpstreamName name, string text) => snapshots.Current.Find(name) is not { } upstream
        ? new(StatusCodes.Status404NotFound, null, $"there is no upstream {name}")
        : PeerView.Find(upstream, text) is { } peer
            ? new(StatusCodes.Status200OK, views.Peer(upstream, peer), null)
            : new(StatusCodes.Status404NotFound, null, $"upstream {name} has no peer {text}");

    public async Task<PeerAnswer> ChangeAsync(UpstreamName name, string text, HttpContext context)
    {
        if (Refusal(context, settings.AdminChangesFrom) is { } refusal) return new(StatusCodes.Status403Forbidden, null, refusal);
        if (snapshots.Current.Find(name) is not { } upstream || PeerView.Find(upstream, text) is not { } peer) return Show(name, text);

        var (patch, wrong) = await ReadAsync(context);
        if (patch is null) return wrong;
        if (!overrides.MakeRoom(peer.State.Peer, snapshots.Current.KnownPeers))
            return new(StatusCodes.Status409Conflict, null, $"{PeerOverridesHolder.MostKept} peers are changed already; set what you need no more to null");

        // The state file is written with the change, and the disk may take its time.
        var now = await Task.Run(() => overrides.Change(peer.State.Peer, patch.Apply));
        Log.PeerChanged(logger, peer.State.Peer, now.Of(peer.State.Peer), context.Connection.RemoteIpAddress);
        try
        {
            await reconciler.ServesAsync(now, context.RequestAborted).WaitAsync(PublishPatience);
        }
        catch (TimeoutException)
        {
            return new(StatusCodes.Status503ServiceUnavailable, null, "the change is taken and comes into service with the next snapshot, which takes longer than it should");
        }

        return Show(name, text);
    }

    /// <summary>Why this client may not change anything; null: it may.</summary>
    internal static string? Refusal(HttpContext context, IReadOnlyList<IPNetwork> allowed)
    {
        if (context.Request.Headers.Origin.Count > 0) return "peers are not changed by pages in a browser";

        var address = TrustedProxies.Unmapped(context.Connection.RemoteIpAddress);
        return address is null || IPAddress.IsLoopback(address) || allowed.Any(network => network.Contains(address))
            ? null
            : $"{address} may not change peers; this machine may, and the networks of --admin-changes-from";
    }

    private static async Task<(PeerPatch? Patch, PeerAnswer Wrong)> ReadAsync(HttpContext context)
    {
        var type = context.Request.ContentType?.Split(';')[0].Trim();
        if (type?.ToLowerInvariant() is not ("application/merge-patch+json" or "application/json"))
        {
            context.Response.Headers["Accept-Patch"] = "application/merge-patch+json, application/json";
            return Wrong(StatusCodes.Status415UnsupportedMediaType, $"Content-Type is \"{type}\"; it must be application/merge-patch+json or application/json");
        }

        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, Strict, context.RequestAborted);
            return PeerPatch.TryParse(body.RootElement, out var patch, out var mistake) ? (patch, default) : Wrong(StatusCodes.Status400BadRequest, mistake);
        }
        catch (BadHttpRequestException e)
        {
            return Wrong(e.StatusCode, $"{e.Message} A body may have {LongestBody} bytes.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Wrong(StatusCodes.Status400BadRequest, $"the body is not JSON: {e.Message}");
        }
    }

    private static (PeerPatch?, PeerAnswer) Wrong(int status, string error) => (null, new(status, null, error));
}

/// <summary>A status with the peer, or with what is wrong.</summary>
internal readonly record struct PeerAnswer(int Status, PeerModel? Peer, string? Error);
