using System.Diagnostics;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>
/// Moves a probe's endpoint to the other of two servers and asks until the other one answers: the time from the API server's answer to the write of
/// the EndpointSlice, which is when it has an event for us, to the end of the first request that obeys it, asked anew each millisecond. Other clients ask all the while, and no
/// request may fail.
/// </summary>
internal sealed class ScaleProbes(ITestApiServer api, HttpClient client, TestBackend one, TestBackend other)
{
    private readonly TestBackend[] _now = [.. Enumerable.Repeat(one, ScaleObjects.Probes)];
    private long _requests;
    private long _failed;

    public long Requests => Interlocked.Read(ref _requests);

    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Milliseconds of so many moves, in order.</summary>
    public async Task<double[]> MoveAsync(int moves)
    {
        using var stop = new CancellationTokenSource();
        var clients = ComeBackAsync(stop.Token);
        var times = new double[moves];
        for (var move = 0; move < moves; move++)
        {
            times[move] = await MoveOnceAsync(move % ScaleObjects.Probes);
            await Task.Delay(20);
        }

        await stop.CancelAsync();
        await clients;
        Array.Sort(times);
        return times;
    }

    /// <summary>A client for each probe that comes back until it is stopped.</summary>
    public Task ComeBackAsync(CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, ScaleObjects.Probes).Select(number => Task.Run(() => ComeBackAsync(number, stop), CancellationToken.None)));

    /// <summary>Milliseconds from the answer to the write to the end of the first request that obeys it; 0 where that came first.</summary>
    public async Task<double> MoveOnceAsync(int number)
    {
        var answered = WhenAnsweredAsync(WriteMoveAsync(number));
        await UntilMovedAsync(number);
        var obeyed = Stopwatch.GetTimestamp();
        return Math.Max(0, Stopwatch.GetElapsedTime(await answered, obeyed).TotalMilliseconds);
    }

    /// <summary>Writes that the probe's endpoint is the other server.</summary>
    public Task WriteMoveAsync(int number)
    {
        var next = _now[number] = _now[number] == one ? other : one;
        return api.ReplaceAsync(ScaleObjects.ProbeSlice(number, next));
    }

    public async Task UntilMovedAsync(int number)
    {
        while (await AskAsync(number) != _now[number].Name)
        {
            // The other server's answer, until the change has come through. Without a pause this would take the processor from who carries it through.
            await Task.Delay(1);
        }
    }

    private static async Task<long> WhenAnsweredAsync(Task writing)
    {
        await writing;
        return Stopwatch.GetTimestamp();
    }

    private async Task ComeBackAsync(int number, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await AskAsync(number);
            await Task.Delay(5, CancellationToken.None);
        }
    }

    /// <summary>Who answered; null: nobody, or not with a success.</summary>
    private async Task<string?> AskAsync(int number)
    {
        Interlocked.Increment(ref _requests);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = $"{ScaleObjects.Probe(number)}.example.com" } };
            using var response = await client.SendAsync(request);
            if (response.IsSuccessStatusCode) return await response.Content.ReadAsStringAsync();
        }
        catch (HttpRequestException)
        {
            // counted below
        }

        Interlocked.Increment(ref _failed);
        return null;
    }
}
