using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace StickyIngress.Testing.Rollout;

/// <summary>
/// A pod: a real server on a loopback address of its own that says its name, and gives a client without a session of its own one, as an
/// application would. Its phase is what Kubernetes has written of it.
/// </summary>
public sealed class Pod : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly bool _ownSessions;
    private long _terminatingAt = long.MaxValue;
    private long _goneAt = long.MaxValue;

    private Pod(int number, IPEndPoint endPoint, bool ownSessions)
    {
        (Number, EndPoint, _ownSessions) = (number, endPoint, ownSessions);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(endPoint));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>No other pod of the run has it.</summary>
    public int Number { get; }

    public string Name => $"shop-{Number}";

    public string Uid { get; } = Guid.NewGuid().ToString();

    public IPEndPoint EndPoint { get; }

    public bool IsTerminating => TerminatingAt != long.MaxValue;

    public bool IsGone => GoneAt != long.MaxValue;

    /// <summary>Timestamp since when the slice says so; the largest number: not yet.</summary>
    public long TerminatingAt => Interlocked.Read(ref _terminatingAt);

    public long GoneAt => Interlocked.Read(ref _goneAt);

    /// <param name="ownSessions">A session of another pod is none of its own, and its ids end with its name, as Tomcat's jvmRoute has it.</param>
    public static async Task<Pod> StartAsync(int number, IPEndPoint endPoint, bool ownSessions)
    {
        var pod = new Pod(number, endPoint, ownSessions);
        await pod._app.StartAsync();
        return pod;
    }

    public void Terminate() => Interlocked.Exchange(ref _terminatingAt, Stopwatch.GetTimestamp());

    public void Leave() => Interlocked.Exchange(ref _goneAt, Stopwatch.GetTimestamp());

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var session = context.Request.Cookies["sid"];
        if (session is null || (_ownSessions && !session.EndsWith("." + Name, StringComparison.Ordinal)))
            context.Response.Headers.SetCookie = $"sid={Guid.NewGuid():N}.{Name}; Path=/";
        return context.Response.WriteAsync(Name);
    }
}
