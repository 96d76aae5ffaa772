using System.Diagnostics;
using StickyIngress.Testing;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>
/// Moves a probe's endpoint to the other of two servers and asks until the other one answers: the time from the write of the EndpointSlice to the
/// end of the first request that obeys it. Other clients ask all the while, and no request may fail.
/// </summary>
internal sealed class ScaleProbes(ITestApiServer api, HttpClient client, TestBackend one, TestBackend other, int probes)
{
    private readonly TestBackend[] _now = [.. Enumerable.Repeat(one, probes)];
    private long _requests;
    private long _failed;

    public long Requests => Interlocked.Read(ref _requests);

    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Milliseconds of so many moves, in order.</summary>
    public async Task<double[]> MoveAsync(int moves)
    {
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, probes).Select(number => Task.Run(() => ComeBackAsync(number, stop.Token))).ToArray();
        var times = new double[moves];
        for (var move = 0; move < moves; move++)
        {
            times[move] = await MoveOnceAsync(move % probes);
            await Task.Delay(20);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Array.Sort(times);
        return times;
    }

    private async Task<double> MoveOnceAsync(int number)
    {
        var next = _now[number] = _now[number] == one ? other : one;
        var slice = ScaleObjects.ProbeSlice(number, next);
        var began = Stopwatch.GetTimestamp();
        var writing = api.PutAsync(slice);
        while (await AskAsync(number) != next.Name)
        {
            // The other server's answer, until the change has come through.
        }

        var time = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await writing;
        return time;
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
