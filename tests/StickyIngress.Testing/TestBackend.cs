using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace StickyIngress.Testing;

/// <summary>A real server on a port of its own that answers as the test says; without more it says its name.</summary>
public sealed class TestBackend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestBackend(WebApplication app, string name) => (_app, Name) = (app, name);

    public string Name { get; }

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>Address and port, as a server's address is written.</summary>
    public string Address => EndPoint.ToString();

    /// <summary>Requests so far, as "METHOD target".</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static async Task<TestBackend> StartAsync(
        string name, RequestDelegate? handler = null, HttpProtocols protocols = HttpProtocols.Http1, int port = 0, IPAddress? address = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null; // an open stream may say nothing for long
            kestrel.RequestHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1;
            kestrel.Listen(address ?? IPAddress.Loopback, port, listen => listen.Protocols = protocols);
        });
        var app = builder.Build();
        var backend = new TestBackend(app, name);
        app.UseWebSockets();
        app.Run(context =>
        {
            backend.Requests.Enqueue($"{context.Request.Method} {context.Features.Get<IHttpRequestFeature>()!.RawTarget}");
            return (handler ?? backend.SayNameAsync)(context);
        });
        await app.StartAsync();
        var uri = new Uri(app.Urls.First());
        backend.EndPoint = new(address ?? IPAddress.Loopback, uri.Port);
        return backend;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task SayNameAsync(HttpContext context) => context.Response.WriteAsync(Name);
}
