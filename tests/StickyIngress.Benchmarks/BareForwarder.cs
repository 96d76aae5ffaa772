using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace StickyIngress.Benchmarks;

/// <summary>
/// What the load script compares with: YARP's forwarder behind Kestrel and nothing else, its backends taken in turn.
/// Arguments: scheduling (default, or inline as ours is), port, TLS port, certificate and key files, then the backends' addresses.
/// </summary>
internal static class BareForwarder
{
    public static async Task RunAsync(string scheduling, int port, int tlsPort, string certificate, string key, string[] backends)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        using var shown = X509Certificate2.CreateFromPemFile(certificate, key);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.Listen(IPAddress.Loopback, tlsPort, listen => listen.UseHttps(shown));
        });
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = scheduling == "inline");
        builder.Services.AddHttpForwarder();
        await using var app = builder.Build();
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var prefixes = backends.Select(backend => $"http://{backend}").ToArray();
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null,
        });
        var next = 0u;
        app.Run(async context => await forwarder.SendAsync(
            context, prefixes[Interlocked.Increment(ref next) % prefixes.Length], invoker, ForwarderRequestConfig.Empty, HttpTransformer.Default));
        await app.RunAsync();
    }
}
