using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace StickyIngress.Benchmarks;

/// <summary>
/// What the load script compares with: YARP's forwarder behind Kestrel and nothing else, its backends taken in turn.
/// Arguments: the port, then the backends' addresses.
/// </summary>
internal static class BareForwarder
{
    public static async Task RunAsync(int port, string[] backends)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port);
        });
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
