using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace StickyIngress.Tests.Conformance;

/// <summary>
/// The servers of the recordings, on the ports that they had: number i on 127.0.0.1:21001+i. Each answers as the request's headers say,
/// and names itself. On 20901+i nobody listens, as then.
/// </summary>
public sealed class RecordedServers : IAsyncLifetime
{
    public const int FirstPort = 21001;
    public const int FirstRefusingPort = 20901;
    public const int Count = 70;

    /// <summary>Request header: which servers answer with which status, such as <c>0=404,2=502</c>.</summary>
    public const string Failing = "X-Failing";

    /// <summary>Request header: the session id that every server sets as cookie sid.</summary>
    public const string Session = "X-Session";

    private WebApplication? _app;

    public static string Listening(int number) => $"127.0.0.1:{FirstPort + number}";

    public static string Refusing(int number) => $"127.0.0.1:{FirstRefusingPort + number}";

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            for (var i = 0; i < Count; i++) kestrel.Listen(IPAddress.Loopback, FirstPort + i);
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
        try
        {
            await _app.StartAsync();
        }
        catch (IOException e)
        {
            throw new InvalidOperationException(
                $"the recordings need ports {FirstPort} to {FirstPort + Count - 1} of loopback; in a network of its own they are free: tests/loopback.sh", e);
        }
    }

    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static Task AnswerAsync(HttpContext context)
    {
        var number = context.Connection.LocalPort - FirstPort;
        foreach (var failing in context.Request.Headers[Failing].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (failing.Split('=') is [var server, var status] && int.Parse(server) == number) context.Response.StatusCode = int.Parse(status);
        }

        if (context.Request.Headers[Session] is [{ } session]) context.Response.Headers.SetCookie = $"sid={session}; Path=/; HttpOnly";
        return context.Response.WriteAsync($"server {number}");
    }
}

/// <summary>The recordings are replayed one after another: they share the ports.</summary>
[CollectionDefinition(Name)]
public sealed class Recordings : ICollectionFixture<RecordedServers>
{
    public const string Name = "recordings";
}
