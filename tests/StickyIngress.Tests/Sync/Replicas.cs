using System.Net;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sync;

/// <summary>Several processes of the executable that share their sessions, and a client that goes round them.</summary>
internal sealed class Replicas : IAsyncDisposable
{
    private readonly Manifests _manifests;
    private readonly TemporaryFile _keys = new("the key that all replicas have\n");
    private readonly List<StickyProcess> _processes = [];
    private int _next;

    private Replicas(Manifests manifests) => _manifests = manifests;

    public StickyProcess this[int index] => _processes[index];

    public IReadOnlyList<StickyProcess> All => _processes;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="servers">Of the one upstream, which learns the argument s of a request.</param>
    /// <param name="store">As for --sync-store.</param>
    public static async Task<Replicas> StartAsync(int count, IEnumerable<string> servers, string store, params string[] more)
    {
        var replicas = new Replicas(With(Shop(servers)));
        for (var i = 0; i < count; i++) await replicas.AddAsync(store, more);
        return replicas;
    }

    public static string Shop(IEnumerable<string> servers, string timeout = "10m") => Upstream(
        "u", servers, $"sticky: {{ learn: {{ create: [$arg_s], lookup: [$arg_s], maxSessions: 100000, timeout: {timeout}, header: true, sync: true }} }}");

    public async Task AddAsync(string store, params string[] more) => _processes.Add(await StickyProcess.ServeAsync(
        _manifests, ["--affinity-keys", _keys.Path, "--sync-store", store, "--access-log", "off", .. more]));

    /// <summary>Changes the keys of all replicas that run and of those to come.</summary>
    public async Task WriteKeysAsync(params string[] keys)
    {
        await File.WriteAllLinesAsync(_keys.Path, keys, Stop);
        foreach (var process in _processes) await process.LogsAsync($"{keys.Length} are accepted now");
    }

    /// <summary>Who answers that session's request, on the replica whose turn it is.</summary>
    public Task<string> AskAsync(string session) => AskAsync(_processes[(int)((uint)Interlocked.Increment(ref _next) % (uint)_processes.Count)], session);

    public static async Task<string> AskAsync(StickyProcess process, string session)
    {
        using var response = await process.Client.GetAsync("/u?s=" + session, Stop);
        var body = await response.Content.ReadAsStringAsync(Stop);
        return response.StatusCode == HttpStatusCode.OK ? body : throw new HttpRequestException($"{(int)response.StatusCode}: {body}");
    }

    /// <summary>Where that session is bound as each replica has it, without a request of its own.</summary>
    public async Task<string?[]> PeersAsync(string session) => await Task.WhenAll(_processes.Select(async process =>
    {
        var told = await process.ApiAsync("sessions/default/u?key=" + session);
        return told.GetProperty("session").TryGetProperty("peer", out var peer) ? peer.GetString() : null;
    }));

    public async Task<bool> AreConnectedAsync(bool connected)
    {
        foreach (var process in _processes)
        {
            if (await process.MetricAsync("stickyingress_session_sync_connected") != (connected ? 1 : 0)) return false;
        }

        return true;
    }

    public Task ConnectedAsync(bool connected = true) => Eventually.HoldsAsync(
        () => AreConnectedAsync(connected), connected ? "all replicas use the store" : "all replicas know that the store is away", Stop);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes) await process.DisposeAsync();
        _keys.Dispose();
        _manifests.Dispose();
    }
}

internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(string content) => File.WriteAllText(Path, content);

    public string Path { get; } = System.IO.Path.GetTempFileName();

    public void Dispose() => File.Delete(Path);
}
