using System.Net;
using Microsoft.AspNetCore.Http;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>
/// An upstream of two servers, a and b, served by the executable, whose answers say what became of the client's session. The
/// first holds requests to /u/hold, breaks off those to /u/fail, and is healthy by /health until it is not.
/// </summary>
internal sealed class ExplainedShop : IAsyncDisposable
{
    private const string Explain =
        "proxy: { responseHeaders: [{ name: X-Sticky, value: \"$sticky_outcome/$sticky_reason\", always: true }] }";

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Manifests _manifests = With();
    private TestBackend _a = null!;
    private TestBackend _b = null!;

    public StickyProcess Process { get; private set; } = null!;

    public bool IsSick { get; set; }

    public IEnumerable<string> RequestsToA => _a.Requests;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="sticky">The value of <c>sticky</c>, and further lines of the spec.</param>
    /// <param name="a">What else is to be said of the first server; null: it is not there.</param>
    public static async Task<ExplainedShop> StartAsync(string sticky, string? a = "", string? b = "")
    {
        var shop = new ExplainedShop();
        shop._a = await TestBackend.StartAsync("a", shop.AnswerAsync);
        shop._b = await TestBackend.StartAsync("b");
        shop._manifests.Write("upstreams.yaml", shop.Document(sticky, a, b));
        shop.Process = await StickyProcess.ServeAsync(shop._manifests);
        return shop;
    }

    /// <summary>Changes the upstream and waits until the change serves.</summary>
    public async Task ChangeAsync(string sticky, string? a = "", string? b = "")
    {
        const string Revision = "stickyingress_config_revision";
        var before = await Process.MetricAsync(Revision);
        _manifests.Replace("upstreams.yaml", Document(sticky, a, b));
        await Eventually.HoldsAsync(async () => await Process.MetricAsync(Revision) > before, "the change serves", Stop);
    }

    public async Task<Explained> AskAsync(string target, string? cookie = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        using var response = await Process.Client.SendAsync(request, Stop);
        return new(
            response.StatusCode,
            response.Headers.TryGetValues("Set-Cookie", out var set) ? set.Single().Split(';')[0] : null,
            response.Headers.TryGetValues("X-Sticky", out var told) ? told.Single() : null);
    }

    /// <summary>The sum of all series of a metric whose labels say something.</summary>
    public async Task<double> SumAsync(string metric, string label = "") => (await Process.MetricsAsync())
        .Where(line => line.StartsWith($"stickyingress_{metric}{{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..]));

    public Task StopAAsync() => _a.DisposeAsync().AsTask();

    public void Release() => _released.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        await Process.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        _manifests.Dispose();
    }

    private string Document(string sticky, string? a, string? b)
    {
        string?[] servers = [a is null ? null : _a.Address + a, b is null ? null : _b.Address + b];
        return Upstream("u", servers.OfType<string>(), $"sticky: {sticky}\n{Explain}");
    }

    private async Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/u/hold":
                await _released.Task;
                break;
            case "/u/fail":
                context.Abort();
                return;
            case "/health" when IsSick:
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                break;
        }

        await context.Response.WriteAsync("a");
    }
}

/// <summary>What a client got, and what became of its session.</summary>
internal sealed record Explained(HttpStatusCode Status, string? Cookie, string? Told);
