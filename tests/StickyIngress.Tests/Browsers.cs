using System.Collections.Concurrent;
using System.Net;
using StickyIngress.Testing;

namespace StickyIngress.Tests;

/// <summary>Browsers that ask one request after another, each with its own connection and cookies, and what they saw.</summary>
internal sealed class Browsers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _browsers;
    private int _answered;

    private Browsers(Uri address, string target, int count) =>
        _browsers = [.. Enumerable.Range(0, count).Select(number => Task.Run(() => BrowseAsync(number, new(address, target))))];

    public ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>Each time that a browser came to another server than before.</summary>
    public ConcurrentQueue<string> Moves { get; } = new();

    public static Browsers On(Uri address, string target, int count) => new(address, target, count);

    /// <summary>Waits until so many more requests have been answered.</summary>
    public Task AnswersAsync(int more)
    {
        var goal = Volatile.Read(ref _answered) + more;
        return Eventually.HoldsAsync(() => Volatile.Read(ref _answered) >= goal, $"{more} more answers", TestContext.Current.CancellationToken);
    }

    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_browsers);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private async Task BrowseAsync(int number, Uri target)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, CookieContainer = new CookieContainer() });
        string? own = null;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var response = await client.GetAsync(target, CancellationToken.None);
                var body = await response.Content.ReadAsStringAsync(CancellationToken.None);
                if (response.StatusCode != HttpStatusCode.OK) Failures.Enqueue($"{(int)response.StatusCode} {body}");
                else if (own is not null && body != own) Moves.Enqueue($"browser {number}: {own} to {body}");
                own = body;
            }
            catch (HttpRequestException e)
            {
                Failures.Enqueue(e.ToString());
            }

            Interlocked.Increment(ref _answered);
        }
    }
}
