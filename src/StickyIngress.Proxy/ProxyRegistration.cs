using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyIngress.Core;
using StickyIngress.Proxy.Caching;
using StickyIngress.Proxy.Clients;
using StickyIngress.Proxy.Forwarding;
using StickyIngress.Proxy.Forwarding.Http1;
using StickyIngress.Proxy.Forwarding.Yarp;
using StickyIngress.Proxy.Health;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy;

/// <summary>Puts the proxy into a host. The host brings a <see cref="TimeProvider"/>, a metric factory and an access log.</summary>
public static class ProxyRegistration
{
    public static IServiceCollection AddStickyProxy(this IServiceCollection services, TrustedProxies trusted)
    {
        services.AddHttpForwarder();
        services.AddOutputCache(cache => cache.MaximumBodySize = cache.SizeLimit);
        services.AddLogging(logging => logging
            .AddFilter("Yarp", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Critical)); // ours logs faults itself, and a cut response is none
        // Nobody prints scopes; the server opens one for each connection, which every await of its requests would carry along.
        services.Configure<LoggerFilterOptions>(static logging => logging.CaptureScopes = false);
        services.Configure<SocketTransportOptions>(static sockets =>
        {
            // Of what is not on an event loop: an event goes to the thread pool once, and from there on nothing hops.
            sockets.UnsafePreferInlineScheduling = true;
            sockets.WaitForDataBeforeAllocatingBuffer = false;
        });
        return services
            .AddSingleton<IConnectionListenerFactory, LoopTransport>()
            .AddSingleton(trusted)
            .AddSingleton<Clock>()
            .AddSingleton<Draining>()
            .AddSingleton<SendWatch>()
            .AddSingleton<SnapshotHolder>()
            .AddSingleton<ClientTls>()
            .AddSingleton<PeerSelector>()
            .AddSingleton<QueuedSelector>()
            .AddSingleton<HealthProber>()
            .AddSingleton<HealthChecker>()
            .AddSingleton<InvokerProfiles>()
            .AddSingleton<YarpForwarder>()
            .AddSingleton<ConnectionPools>()
            .AddSingleton<Http1Forwarder>()
            .AddSingleton<IPeerForwarder, EngineForwarder>()
            .AddSingleton<ProxyMetrics>()
            .AddSingleton<UpstreamHandler>()
            .AddSingleton<ResponseCache>()
            .AddSingleton<DiagnosticSource, RefusedRequests>()
            .AddSingleton<ProxyPipeline>();
    }

    /// <summary>Everything that comes in is the proxy's.</summary>
    public static void UseStickyProxy(this IApplicationBuilder app)
    {
        var watch = app.ApplicationServices.GetRequiredService<SendWatch>();
        RequestDelegate serve = app.ApplicationServices.GetRequiredService<ProxyPipeline>().InvokeAsync;
        app.Run(context => HttpProtocol.IsHttp2(context.Request.Protocol) ? WatchedResponse.ServeAsync(context, serve, watch) : serve(context));
    }

    /// <summary>Kestrel's limits as nginx has them; bodies are limited per route.</summary>
    public static void ConfigureForProxy(this KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowHostHeaderOverride = true;
        kestrel.AllowAlternateSchemes = true;
        kestrel.RequestHeaderEncodingSelector = FieldEncodings.Of;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        kestrel.ConfigureEndpointDefaults(static listen =>
        {
            var watch = listen.ApplicationServices.GetRequiredService<SendWatch>();
            listen.Use(next => connection => WatchedConnection.ServeAsync(connection, next, watch));
        });

        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;                            // send_timeout is SendWatch's: the server would end a connection for one stream
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);           // keepalive_timeout
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(60);      // client_header_timeout
        limits.MaxRequestLineSize = 8 * 1024;                         // large_client_header_buffers 4 8k
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestHeaderCount = 100;
    }
}
