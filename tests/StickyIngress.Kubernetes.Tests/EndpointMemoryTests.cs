using StickyIngress.Testing;

namespace StickyIngress.Kubernetes.Tests;

/// <summary>Alone, since others' memory would be counted too.</summary>
[CollectionDefinition(DisableParallelization = true)]
[Collection(nameof(EndpointMemoryTests))]
public sealed class EndpointMemoryTests
{
    private const int Slices = 1000;
    private const int EndpointsOfEach = 100;

    [Fact]
    public async Task Hundred_thousand_endpoints_cost_at_most_100_MB_and_a_new_list_costs_no_more()
    {
        await using var cluster = await WatchedCluster.PrepareAsync();
        for (var i = 0; i < Slices; i++)
        {
            var addresses = Enumerable.Range(0, EndpointsOfEach).Select(j => $"10.{i / 250}.{i % 250}.{j}").ToArray();
            cluster.Fake.Store.Put(FakeObjects.EndpointSlice("web", $"slice-{i:d4}", $"service-{i:d4}", addresses));
        }

        cluster.Options.Watch = new() { PageSize = 100 };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        cluster.Start();

        var set = await cluster.UntilAsync(it => it.EndpointSlices.Count == Slices);

        var first = Cost();
        Assert.Equal(Slices * EndpointsOfEach, set.EndpointSlices.Values.Sum(slices => slices.Sum(slice => slice.Endpoints.Length)));
        Assert.InRange(first, 10, 100);

        // The horizon passes everybody: all is listed again, and nothing of it is read or held anew.
        cluster.Fake.Store.Compact();
        cluster.Fake.Store.Put(FakeObjects.EndpointSlice("web", "slice-last", "service-last", "10.9.9.9"));
        var last = await cluster.UntilAsync(it => it.EndpointSlices.Count == Slices + 1);

        Assert.Contains(("EndpointSlice", WatchRestart.Expired), cluster.Observer.Restarts);
        Assert.Same(set.EndpointSlices[Refs.Service("web", "service-0500")][0], last.EndpointSlices[Refs.Service("web", "service-0500")][0]);
        Assert.InRange(Cost(), 10, first + 5);
        TestContext.Current.TestOutputHelper?.WriteLine($"{first:f1} MB for {Slices * EndpointsOfEach} endpoints, {Cost():f1} MB after a new list");

        double Cost() => (GC.GetTotalMemory(forceFullCollection: true) - before) / 1e6;
    }
}
