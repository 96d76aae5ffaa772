using StickyIngress.Admin;
using StickyIngress.Core.Sharing;
using StickyIngress.Settings;
using StickyIngress.Sync;

namespace StickyIngress;

/// <summary>Who shares sessions with other replicas, where a store is configured; else nobody does.</summary>
internal static class SyncRegistration
{
    /// <summary>What is wrong with the settings; null: nothing.</summary>
    public static string? Mistake(ServeSettings settings)
    {
        if (settings.SyncStore is not { } store)
        {
            return settings.SyncPasswordFile is not null ? "--sync-password-file needs --sync-store: there is nobody to give it to"
                : settings.SyncCa is not null ? "--sync-ca needs --sync-store: there is nobody to check"
                : settings.SyncPeers ? "--sync-peers needs --sync-store: there is nothing to share them through"
                : null;
        }

        if (!StoreAddress.TryParse(store, out var read, out var wrong)) return $"--sync-store is \"{store}\"; {wrong}";
        if (settings.AffinityKeys is null) return "--sync-store needs --affinity-keys: with a random key no replica would know another's sessions";
        if (settings.SyncPasswordFile is { } password && !File.Exists(password)) return $"--sync-password-file is \"{password}\"; it must be a file";
        if (settings.SyncCa is { } ca && !File.Exists(ca)) return $"--sync-ca is \"{ca}\"; it must be a file";
        if (settings.SyncCa is not null && !read.Ssl) return "--sync-ca needs a store that is reached by TLS: rediss://, or ssl=true";
        return null;
    }

    public static void AddSync(this IServiceCollection services, ServeSettings settings)
    {
        if (settings.SyncStore is not { } store) return;

        services
            .AddSingleton(new SyncOptions { Store = store, PasswordFile = settings.SyncPasswordFile, CaFile = settings.SyncCa, Prefix = settings.SyncPrefix })
            .AddSingleton(new SharingOptions { ReadBudget = settings.SyncReadBudget, MaxReads = settings.SyncMaxReads })
            .AddSingleton<ISharingObserver, SyncMetrics>()
            .AddSingleton<RedisConnection>()
            .AddSingleton<RedisStore>()
            .AddSingleton<ISharedStore>(provider => provider.GetRequiredService<RedisStore>())
            .AddSingleton<SessionSharing>()
            .AddHostedService<SessionSync>();
        if (settings.SyncPeers) services.AddSingleton<SharedPeers>();
    }
}
