using System.Collections.Concurrent;
using System.Diagnostics;

namespace StickyIngress.Testing.Rollout;

/// <summary>Clients with a session each, that come back again and again, and what they saw of a rollout.</summary>
/// <param name="byName">Every pod that there ever was.</param>
internal sealed class RolloutClients(Uri address, ConcurrentDictionary<string, Pod> byName, RolloutOptions options)
{
    /// <summary>Every so many requests of a client, a new one comes.</summary>
    private const int NewcomerEvery = 10;

    private long _requests;
    private long _failed;
    private long _followed;
    private long _early;
    private long _causeless;
    private long _toLeaving;

    public async Task RunAsync(CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { BaseAddress = address };
        await Task.WhenAll(Enumerable.Range(0, options.Clients).Select(number => ComeBackAsync(http, number, stop)));
    }

    public RolloutResult Result(string proxy, string breaks) =>
        new(proxy, _requests, _failed, _followed, _early, _causeless, _toLeaving, breaks);

    private async Task ComeBackAsync(HttpClient http, int number, CancellationToken stop)
    {
        var random = new Random(number);
        var (session, nobody) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        Pod? own = null;
        try
        {
            for (var count = 1; !stop.IsCancellationRequested; count++)
            {
                own = await AskAsync(http, session, own) ?? own;
                if (count % NewcomerEvery == 0)
                {
                    nobody.Clear();
                    await AskAsync(http, nobody, own: null);
                }

                await Task.Delay(options.Think * (0.5 + random.NextDouble()), stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The rollout is over.
        }
    }

    /// <summary>The pod that answered; null: the request failed.</summary>
    private async Task<Pod?> AskAsync(HttpClient http, Dictionary<string, string> cookies, Pod? own)
    {
        var started = Stopwatch.GetTimestamp();
        Interlocked.Increment(ref _requests);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            if (cookies.Count > 0) request.Headers.Add("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
            using var response = await http.SendAsync(request);
            var name = await response.Content.ReadAsStringAsync();
            if (!response.IsSuccessStatusCode || !byName.TryGetValue(name, out var pod))
            {
                Interlocked.Increment(ref _failed);
                return null;
            }

            Keep(response, cookies);
            if (pod != own) Judge(own, pod, started);
            return pod;
        }
        catch (HttpRequestException)
        {
            Interlocked.Increment(ref _failed);
            return null;
        }
    }

    private static void Keep(HttpResponseMessage response, Dictionary<string, string> cookies)
    {
        if (!response.Headers.TryGetValues("Set-Cookie", out var set)) return;

        foreach (var cookie in set)
        {
            var (name, value) = (cookie[..cookie.IndexOf('=')], cookie[(cookie.IndexOf('=') + 1)..].Split(';')[0]);
            cookies[name] = value;
        }
    }

    private void Judge(Pod? own, Pod pod, long started)
    {
        if (own is not null)
        {
            if (!own.IsTerminating) Interlocked.Increment(ref _causeless);
            else if (!own.IsGone) Interlocked.Increment(ref _early);
            else Interlocked.Increment(ref _followed);
        }

        // Whoever comes anew must not come to a pod that was known to go when the request began.
        if (pod.TerminatingAt != long.MaxValue && Stopwatch.GetElapsedTime(pod.TerminatingAt, started) > options.Settle)
            Interlocked.Increment(ref _toLeaving);
    }
}
