using System.Collections.Concurrent;
using StickyIngress.Testing;

namespace StickyIngress.Tests;

/// <summary>Clients that ask one after another until the test has seen enough; whatever is not a 200 is kept.</summary>
public sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _clients;
    private readonly HttpClient _client;
    private readonly string _target;
    private int _answered;

    private Load(HttpClient client, string target, int clients)
    {
        (_client, _target) = (client, target);
        _clients = [.. Enumerable.Range(0, clients).Select(_ => Task.Run(AskAsync))];
    }

    public ConcurrentQueue<string> Failures { get; } = new();

    public ConcurrentDictionary<string, int> Answers { get; } = new();

    public static Load On(StickyProcess process, string target, int clients = 4) => On(process.Client, target, clients);

    public static Load On(HttpClient client, string target, int clients = 4) => new(client, target, clients);

    /// <summary>Waits until so many more requests have been answered.</summary>
    public Task AnswersAsync(int more)
    {
        var goal = Volatile.Read(ref _answered) + more;
        return Eventually.HoldsAsync(() => Volatile.Read(ref _answered) >= goal, $"{more} more answers", TestContext.Current.CancellationToken);
    }

    /// <summary>Lets the requests that run end, and begins no more.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private async Task AskAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var response = await _client.GetAsync(_target, TestContext.Current.CancellationToken);
                var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                Answers.AddOrUpdate(body, 1, static (_, count) => count + 1);
                if ((int)response.StatusCode != 200) Failures.Enqueue($"{(int)response.StatusCode} {body}");
            }
            catch (HttpRequestException e)
            {
                Failures.Enqueue(e.ToString());
            }

            Interlocked.Increment(ref _answered);
        }
    }
}
