using System.Net;

namespace StickyIngress.Demo;

/// <summary>
/// Three small servers that say their names. Under a path that begins with /learn or /route they give a new client a session cookie, as an
/// application would.
/// </summary>
internal sealed class DemoBackends : IAsyncDisposable
{
    /// <summary>The ports that manifests/demo names, of backends a, b and c.</summary>
    public static IReadOnlyList<int> Ports { get; } = [9101, 9102, 9103];

    private readonly List<WebApplication> _backends = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < Ports.Count; i++)
        {
            var backend = Create(((char)('a' + i)).ToString(), Ports[i]);
            _backends.Add(backend);
            await backend.StartAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var backend in _backends) await backend.DisposeAsync();
    }

    private static WebApplication Create(string name, int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        var backend = builder.Build();
        backend.Run(context => AnswerAsync(context, name));
        return backend;
    }

    private static Task AnswerAsync(HttpContext context, string name)
    {
        var path = context.Request.Path;
        var session = context.Request.Cookies["JSESSIONID"];
        if (session is null && (path.StartsWithSegments("/learn", StringComparison.Ordinal) || path.StartsWithSegments("/route", StringComparison.Ordinal)))
        {
            session = $"{Guid.NewGuid():N}.{name}";
            context.Response.Headers.SetCookie = $"JSESSIONID={session}; Path=/; HttpOnly";
        }

        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(session is null ? $"backend {name}\n" : $"backend {name}, session {session}\n");
    }
}
