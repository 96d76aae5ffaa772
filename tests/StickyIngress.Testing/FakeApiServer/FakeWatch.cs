using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace StickyIngress.Testing;

/// <summary>One open watch.</summary>
internal sealed class FakeWatch(FakeApiServer server, HttpContext context, FakePath path, FakeFault? fault)
{
    private bool _cut = fault?.Kind == FaultKind.CutMidEvent;
    private bool _spoil = fault?.Kind == FaultKind.Spoilt;

    public async Task ServeAsync(CancellationToken stopping)
    {
        var streams = path.Query["sendInitialEvents"] == "true" && !server.OverlooksStreaming;
        if (streams && !server.StreamsLists)
        {
            await FakeAnswers.RefuseAsync(context, 422, "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled", "Invalid");
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.StartAsync(stopping);
        await context.Response.Body.FlushAsync(stopping);
        if (fault?.Kind == FaultKind.GoneEvent)
        {
            await ExpireAsync();
            return;
        }

        if (fault?.Kind == FaultKind.Garbage) await WriteAsync("ADDED", Encoding.UTF8.GetBytes("{ no json"));
        var given = (string?)path.Query["resourceVersion"];
        var from = string.IsNullOrEmpty(given) || given == "0" ? await InitialAsync(streams) : long.Parse(given);
        using var life = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (int.TryParse(path.Query["timeoutSeconds"], out var seconds)) life.CancelAfter(TimeSpan.FromSeconds(seconds));
        await FollowAsync(from, life.Token, stopping);
    }

    private async Task<long> InitialAsync(bool streams)
    {
        var state = server.Store.State;
        var objects = state.Objects.GetValueOrDefault(path.Resource) ?? ImmutableSortedDictionary<string, FakeObject>.Empty;
        foreach (var found in objects.Values.Where(path.Holds)) await WriteAsync("ADDED", found.Json);
        if (streams) await BookmarkAsync(state.Version, ends: true);
        await context.Response.Body.FlushAsync();
        return state.Version;
    }

    /// <summary>Sends what happens after the version until the watch's life is over or the server stops.</summary>
    private async Task FollowAsync(long from, CancellationToken life, CancellationToken stopping)
    {
        var (over, due) = (Task.Delay(Timeout.Infinite, life), false);
        while (!life.IsCancellationRequested)
        {
            var (changed, bookmark) = (server.Store.Changed, server.Bookmark());
            if (server.Store.EventsAfter(from, path.Resource, out var version) is not { } events)
            {
                await ExpireAsync();
                return;
            }

            foreach (var happened in events.Where(it => path.Holds(it.Object))) await WriteAsync(happened.Type, happened.Object.Json);
            from = Math.Max(from, version);
            if (due) await BookmarkAsync(version, ends: false);
            await context.Response.Body.FlushAsync(stopping);
            due = await Task.WhenAny(changed, bookmark, over) == bookmark;
        }

        stopping.ThrowIfCancellationRequested();
    }

    private Task BookmarkAsync(long version, bool ends)
    {
        var metadata = new JsonObject { ["resourceVersion"] = $"{version}" };
        if (ends) metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        return WriteAsync("BOOKMARK", FakeStore.Bytes(new JsonObject
        {
            ["kind"] = path.Resource.Kind,
            ["apiVersion"] = path.Resource.ApiVersion,
            ["metadata"] = metadata,
        }));
    }

    private Task ExpireAsync() => WriteAsync("ERROR", FakeStore.Bytes(FakeAnswers.Status(410, "too old resource version", "Expired")));

    private async Task WriteAsync(string type, ReadOnlyMemory<byte> found)
    {
        if (_spoil && type != "BOOKMARK") (_spoil, found) = (false, "{ no json"u8.ToArray());
        byte[] line = [.. Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","object":"""), .. found.Span, .. "}\n"u8];
        if (_cut && type != "BOOKMARK")
        {
            _cut = false;
            await context.Response.Body.WriteAsync(line.AsMemory(0, line.Length / 2));
            await context.Response.Body.FlushAsync();
            throw new IOException("cut as ordered");
        }

        await FakeAnswers.WriteAsync(context, line, fault?.Kind == FaultKind.Slow);
    }
}
