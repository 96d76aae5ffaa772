using Microsoft.AspNetCore.Server.Kestrel.Core;
using Prometheus;
using StickyIngress.Admin;
using StickyIngress.Control;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Resolving;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;
using StickyIngress.Kubernetes;
using StickyIngress.Proxy;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Settings;

namespace StickyIngress;

/// <summary>Puts the process together: who implements what.</summary>
internal static class Server
{
    /// <param name="cluster">The API server, where the settings say so; null: manifests are served.</param>
    public static WebApplication Build(ServeSettings settings, AffinityKeys keys, ApiServer? cluster = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "sticky-ingress" });
        var https = new HttpsEndpoint(settings.Https);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            Listen(kestrel, settings);
            https.Configure(kestrel);
        });
        builder.Services.AddSingleton<IReconcileObserver>(https);
        builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ", true));
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(settings.LogLevel);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning); // we say ourselves what is served where

        // A start that fails is told by the command, in one line.
        var hasStarted = false;
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => hasStarted && level >= settings.LogLevel);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownGrace + settings.DrainTimeout + TimeSpan.FromSeconds(5));

        AddControl(builder.Services, settings, keys, cluster);
        AddMetrics(builder.Services);
        AddAccessLog(builder.Services, settings);
        builder.Services.AddStickyProxy(new(settings.TrustedProxies));
        builder.Services.AddSingleton(new TlsEndPoint(settings.Https.Address, settings.Https.Port));
        builder.Services.AddSingleton(settings).AddSingleton<Readiness>();
        if (settings.AffinityKeys is { } file)
        {
            builder.Services.AddHostedService(provider => ActivatorUtilities.CreateInstance<AffinityKeysFile>(provider, file));
        }

        builder.Services.AddSync(settings);
        builder.Services.AddSingleton<SessionKeeper>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<SessionKeeper>());
        builder.Services.AddSingleton<StateKeeper>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<StateKeeper>());
        builder.Services.AddHostedService<AdminServer>();
        builder.Services.AddHostedService<Shutdown>();

        var app = builder.Build();
        app.Lifetime.ApplicationStarted.Register(() => hasStarted = true);
        app.UseConnectionClose();
        app.UseStickyProxy();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, ServeSettings settings)
    {
        kestrel.ConfigureForProxy();
        kestrel.ListenOn(new LoopEndPoint(settings.Http.Address, settings.Http.Port));
        if (settings.H2c is { } h2c) kestrel.ListenOn(h2c, HttpProtocols.Http2);
    }

    private static void AddControl(IServiceCollection services, ServeSettings settings, AffinityKeys keys, ApiServer? cluster)
    {
        if (cluster is not null)
        {
            services.AddSingleton(ClusterRegistration.OptionsOf(settings).Compiler with { NameServers = [.. settings.Resolvers], HasSharedStore = settings.SyncStore is not null });
            services.AddCluster(settings, cluster);
        }
        else
        {
            services.AddSingleton(new CompilerOptions { IngressClass = settings.IngressClass, Standalone = true, HasSharedStore = settings.SyncStore is not null, NameServers = [.. settings.Resolvers] });
            services.AddSingleton(new FileSourceOptions { Folders = settings.Manifests });
            services.AddSingleton<IResourceSource, FileSource>();
            services.AddSingleton<IStatusWriter, LogStatusWriter>();
        }

        AddCompiler(services, settings, keys);
    }

    private static void AddCompiler(IServiceCollection services, ServeSettings settings, AffinityKeys keys) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton<IHostResolver, SystemHostResolver>()
        .AddSingleton(new AffinityKeysHolder(keys))
        .AddSingleton(provider => new SessionZones(SessionKeeper.Secret(settings, keys), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new UpstreamBuilder(
            provider.GetRequiredService<AffinityKeysHolder>(), provider.GetRequiredService<SessionZones>(), provider.GetRequiredService<Clock>(), new Random(),
            provider.GetService<SessionSharing>()))
        .AddSingleton<UpstreamStates>()
        .AddSingleton<PeerOverridesHolder>()
        .AddSingleton<SnapshotCompiler>()
        .AddSingleton<ReconcilerState>()
        .AddSingleton<IReconcileObserver, ReconcileMetrics>()
        .AddSingleton<IResolverObserver, ResolverMetrics>()
        .AddSingleton<IReconcileObserver, CheckedUpstreams>()
        .AddHostedService<Reconciler>();

    private static void AddMetrics(IServiceCollection services)
    {
        var registry = Metrics.NewCustomRegistry();
        DotNetStats.Register(registry);
        var factory = Metrics.WithCustomRegistry(registry);
        var allocated = factory.CreateCounter("dotnet_allocated_bytes_total", "Bytes of managed memory that were allocated since the start.");
        registry.AddBeforeCollectCallback(() => allocated.IncTo(GC.GetTotalAllocatedBytes()));
        services
            .AddSingleton(registry)
            .AddSingleton<IMetricFactory>(factory)
            .AddSingleton<SnapshotMetrics>();
    }

    private static void AddAccessLog(IServiceCollection services, ServeSettings settings)
    {
        if (settings.AccessLog == "off")
        {
            services.AddSingleton<IAccessLog, NoAccessLog>();
            return;
        }

        Template? format = null;
        if (settings.AccessLog != "json" && !Template.TryParse(settings.AccessLog, null, out format, out var wrong))
            throw new ArgumentException(wrong, nameof(settings));

        services.AddSingleton(provider => new AccessLog(StandardOutput.Open(), format, provider.GetRequiredService<Clock>()));
        services.AddSingleton<IAccessLog>(provider => provider.GetRequiredService<AccessLog>());
        services.AddHostedService(provider => provider.GetRequiredService<AccessLog>());
    }
}
