using System.Collections.Concurrent;
using System.Net;

namespace StickyIngress.Testing.Rollout;

/// <summary>
/// Replaces every pod under clients with sessions, one at a time: a new one comes up, an old one is terminating and serves on, it fails its
/// readiness, and only then its process ends. New pods get the addresses of pods that are gone.
/// </summary>
public static class RolloutRun
{
    public static async Task<RolloutResult> RunAsync(
        string name, IRolloutProxy proxy, RolloutMode mode, RolloutOptions options, CancellationToken cancellationToken)
    {
        await using var pods = new PodSet(ownSessions: mode == RolloutMode.Route);
        for (var i = 0; i < options.Pods; i++) await pods.AddAsync();
        await proxy.ApplyAsync(pods.Present);
        await AnswersAsync(proxy.Address, cancellationToken);

        var clients = new RolloutClients(proxy.Address, pods.ByName, options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = clients.RunAsync(stop.Token);
        await Task.Delay(options.Step, cancellationToken);
        foreach (var old in pods.Present)
        {
            await pods.AddAsync();
            await ApplyAsync();

            old.Terminate();
            await ApplyAsync();

            old.Leave();
            await ApplyAsync();
            await pods.RemoveAsync(old);
        }

        await Task.Delay(options.Step, cancellationToken);
        await stop.CancelAsync();
        await running;
        return clients.Result(name, await proxy.BreaksAsync());

        async Task ApplyAsync()
        {
            await proxy.ApplyAsync(pods.Present);
            await Task.Delay(options.Step, cancellationToken);
        }
    }

    private static async Task AnswersAsync(Uri address, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    using var response = await http.GetAsync(address, cancellationToken);
                    return response.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "the proxy answers", cancellationToken);
    }

    /// <summary>The pods of one Deployment.</summary>
    private sealed class PodSet(bool ownSessions) : IAsyncDisposable
    {
        private readonly int _port = FreePort.Next();
        private readonly List<Pod> _present = [];
        private readonly SortedSet<byte> _taken = [];
        private int _made;

        public ConcurrentDictionary<string, Pod> ByName { get; } = new();

        public IReadOnlyList<Pod> Present => [.. _present];

        public async Task AddAsync()
        {
            var number = Enumerable.Range(2, 250).Select(free => (byte)free).First(_taken.Add);
            var pod = await Pod.StartAsync(++_made, new(new IPAddress([127, 0, 7, number]), _port), ownSessions);
            ByName[pod.Name] = pod;
            _present.Add(pod);
        }

        public async Task RemoveAsync(Pod pod)
        {
            _present.Remove(pod);
            await pod.DisposeAsync();
            _taken.Remove(pod.EndPoint.Address.GetAddressBytes()[3]);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var pod in _present) await pod.DisposeAsync();
        }
    }
}

/// <summary>How large a rollout is, and how long its steps take.</summary>
/// <param name="Step">From one document to the next.</param>
/// <param name="Think">What a client waits between two requests, half of it more or less.</param>
/// <param name="Settle">What a proxy may take to follow before new clients on a leaving pod are held against it.</param>
public sealed record RolloutOptions(int Pods, int Clients, TimeSpan Step, TimeSpan Think, TimeSpan Settle);

/// <summary>What the clients saw.</summary>
/// <param name="Followed">Sessions that moved because their pod was gone.</param>
/// <param name="Early">Sessions that moved while their pod was terminating and served.</param>
/// <param name="Causeless">Sessions that moved though their pod stayed.</param>
/// <param name="ToLeaving">Clients new to a pod that was known to go.</param>
/// <param name="Breaks">The proxy's own account, by reason.</param>
public sealed record RolloutResult(
    string Proxy, long Requests, long Failed, long Followed, long Early, long Causeless, long ToLeaving, string Breaks)
{
    /// <summary>Nothing failed, nobody moved but those whose pod was gone, and nobody came to a pod that was about to go.</summary>
    public bool KeptSessions => (Failed, Early, Causeless, ToLeaving) == (0, 0, 0, 0);
}
