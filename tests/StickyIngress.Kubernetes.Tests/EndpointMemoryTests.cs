using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

/// <summary>Alone, since others' memory would be counted too.</summary>
[CollectionDefinition(DisableParallelization = true)]
[Collection(nameof(EndpointMemoryTests))]
public sealed class EndpointMemoryTests
{
    private const int Slices = 1000;
    private const int EndpointsOfEach = 100;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Hundred_thousand_endpoints_cost_at_most_100_MB(bool streams)
    {
        await using var cluster = await WatchedCluster.PrepareAsync();
        for (var i = 0; i < Slices; i++)
        {
            var addresses = Enumerable.Range(0, EndpointsOfEach).Select(j => $"10.{i / 250}.{i % 250}.{j}").ToArray();
            cluster.Fake.Store.Put(FakeObjects.EndpointSlice("web", $"slice-{i:d4}", $"service-{i:d4}", addresses));
        }

        cluster.Fake.StreamsLists = streams;
        cluster.Options.Watch = new() { PageSize = 100 };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        cluster.Start();

        var set = await cluster.UntilAsync(it => it.EndpointSlices.Count == Slices);

        var cost = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1e6;
        TestContext.Current.TestOutputHelper?.WriteLine($"{cost:f1} MB for {Slices * EndpointsOfEach} endpoints");
        Assert.Equal(Slices * EndpointsOfEach, set.EndpointSlices.Values.Sum(slices => slices.Sum(slice => slice.Endpoints.Length)));
        Assert.True(cost <= 100, $"{cost:f1} MB");
    }
}
