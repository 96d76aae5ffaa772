using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Kubernetes;
using StickyIngress.Testing;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>
/// What 100,000 endpoints cost in memory once they are read, and while they are listed a second time: live objects, by the garbage collector's own
/// count. The API server is in the same process, so its objects are there before and after and do not count.
/// </summary>
internal static class EndpointsReport
{
    private const int Slices = 1000;
    private const int EndpointsOfEach = 100;

    public static async Task RunAsync(TextWriter output)
    {
        await using var fake = await FakeApiServer.StartAsync();
        for (var slice = 0; slice < Slices; slice++) fake.Store.Put(Slice(slice));
        using var server = new ApiServer(new HttpClient { Timeout = Timeout.InfiniteTimeSpan }, fake.Address);
        var source = new ClusterSource(
            server, new() { LeaderElection = false }, new NoObserver(), TimeProvider.System, new Random(1), NullLogger<ClusterSource>.Instance);

        var before = Live();
        await using var sets = source.WatchAsync(CancellationToken.None).GetAsyncEnumerator();
        await sets.MoveNextAsync();
        var first = sets.Current;
        var read = Live();

        // All of it is listed again, and one slice more shows when that is done.
        var most = 0L;
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested) most = Math.Max(most, Live());
        });
        fake.Store.Compact();
        fake.Store.Put(Slice(Slices));
        await fake.DownAsync();
        await fake.UpAsync();
        while (sets.Current.EndpointSlices.Count == Slices) await sets.MoveNextAsync();
        await stop.CancelAsync();
        await watching;
        var shared = first.EndpointSlices.Count(entry => entry.Value == sets.Current.EndpointSlices[entry.Key]);

        await output.WriteLineAsync($"""
            {Slices * EndpointsOfEach} endpoints in {Slices} EndpointSlices

            | | Budget | Measured |
            |---|--:|--:|
            | Memory once they are read | 100 MB | {Megabytes(read - before)} |
            | At most while they are listed again | 100 MB | {Megabytes(most - before)} |
            | Services whose endpoints are the same objects as before | {Slices} | {shared} |
            """);
    }

    private static JsonObject Slice(int slice) => FakeObjects.EndpointSlice("web", $"s{slice:d4}-1", $"s{slice:d4}",
        [.. Enumerable.Range(1, EndpointsOfEach).Select(last => $"10.{slice / 250}.{slice % 250}.{last}")]);

    private static long Live() => GC.GetTotalMemory(forceFullCollection: true);

    private static string Megabytes(long bytes) => $"{bytes / 1e6:f0} MB";

    private sealed class NoObserver : IClusterObserver
    {
        public void WatchEvent(string kind)
        {
        }

        public void WatchRestarted(string kind, WatchRestart reason)
        {
        }

        public void EndpointsChanged(long setVersion, DateTimeOffset arrived)
        {
        }
    }
}
