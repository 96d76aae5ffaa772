using StickyIngress.Admin;
using StickyIngress.Control;
using StickyIngress.Control.Sources;
using StickyIngress.Control.Status;
using StickyIngress.Kubernetes;
using StickyIngress.Settings;

namespace StickyIngress;

/// <summary>The cluster as the source of resources and the place of their status.</summary>
internal static class ClusterRegistration
{
    public static IServiceCollection AddCluster(this IServiceCollection services, ServeSettings settings, ApiServer server)
    {
        services
            .AddSingleton(server)
            .AddSingleton(OptionsOf(settings))
            .AddSingleton<ClusterMetrics>()
            .AddSingleton<IClusterObserver>(provider => provider.GetRequiredService<ClusterMetrics>())
            .AddSingleton<IReconcileObserver>(provider => provider.GetRequiredService<ClusterMetrics>())
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<ClusterSource>(provider, new Random()))
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<LeaderLease>(provider, new Random()))
            .AddSingleton(provider => ActivatorUtilities.CreateInstance<ClusterStatusWriter>(provider, new Random()))
            .AddSingleton<IStatusWriter>(provider => provider.GetRequiredService<ClusterStatusWriter>())
            .AddSingleton(provider => SourceOf(provider, settings.CacheFolder));

        // Stopped in reverse: the writer ends before the Lease is given back.
        return services
            .AddHostedService(provider => provider.GetRequiredService<LeaderLease>())
            .AddHostedService(provider => provider.GetRequiredService<ClusterStatusWriter>());
    }

    public static ClusterOptions OptionsOf(ServeSettings settings) => new()
    {
        Namespaces = settings.Namespaces,
        IngressClass = settings.IngressClass,
        PublishedService = settings.PublishService,
        LeaderElection = settings.LeaderElection,
        PodName = settings.PodName,
        PodNamespace = settings.PodNamespace,
        // Installations of two classes are led apart.
        LeaseName = settings.IngressClass == "sticky" ? "sticky-ingress" : $"sticky-ingress-{settings.IngressClass}",
    };

    private static IResourceSource SourceOf(IServiceProvider provider, string? cacheFolder)
    {
        var source = provider.GetRequiredService<ClusterSource>();
        if (cacheFolder is null) return source;

        var file = ActivatorUtilities.CreateInstance<ResourceFile>(provider, cacheFolder);
        return ActivatorUtilities.CreateInstance<CachedSource>(provider, source, file, new CachedSourceOptions());
    }
}
