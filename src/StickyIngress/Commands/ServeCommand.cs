using System.Net.Sockets;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Variables;
using StickyIngress.Demo;
using StickyIngress.Kubernetes;
using StickyIngress.Settings;

namespace StickyIngress.Commands;

/// <summary><c>sticky-ingress run</c> and <c>demo</c>: serves until it is told to stop.</summary>
internal static class ServeCommand
{
    public static async Task<int> RunAsync(ServeSettings settings, bool demo, TextWriter error, CancellationToken cancellationToken)
    {
        if (demo) settings = settings with { Manifests = [.. settings.Manifests, DemoManifests.Folder] };
        if (Mistake(settings) is { } mistake || !TryReadKeys(settings.AffinityKeys, out var keys, out mistake))
        {
            await error.WriteLineAsync(mistake);
            return 1;
        }

        ApiServer? cluster = null;
        if (settings.Kubernetes && !ApiServer.TryOpen(settings.Kubeconfig, out cluster, out mistake))
        {
            await error.WriteLineAsync(mistake);
            return 1;
        }

        using var disposed = cluster;
        await using var backends = new DemoBackends();
        try
        {
            if (demo) await backends.StartAsync(cancellationToken);
            await using var app = Server.Build(settings, keys, cluster);
            using var secondSignal = new SecondSignal();
            await app.StartAsync(cancellationToken);
            if (demo) await error.WriteAsync(DemoManifests.WhatToTry(settings));
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (IOException e)
        {
            // A port that is taken: the message names it.
            await error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (SocketException e)
        {
            // An address that is not ours, or a port that is not for us, which this exception does not name.
            await error.WriteLineAsync($"cannot listen on {settings.Http}{(settings.H2c is null ? "" : $" or {settings.H2c}")}: {e.Message}");
            return 1;
        }
    }

    private static string? Mistake(ServeSettings settings)
    {
        if (settings.Manifests.Count == 0 && !settings.Kubernetes)
            return "nothing to serve: name a directory with --manifests DIR, or --kubernetes; or try the demo: sticky-ingress demo";
        if (settings.Manifests.Count > 0 && settings.Kubernetes)
            return "--manifests and --kubernetes exclude each other";
        if (settings.Manifests.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing)
            return $"--manifests is \"{missing}\"; it must be a directory";
        if (CacheMistake(settings) is { } unusable) return unusable;
        if (settings is { SessionFile: not null, AffinityKeys: null })
            return "--session-file needs --affinity-keys: with a random key no start could read what the one before has written";
        if (settings.State is { } state && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(state))))
            return $"--state is \"{state}\"; it must be a file in a directory that exists";
        if (settings.SessionFile is not null && settings.SessionFileInterval < TimeSpan.FromSeconds(1))
            return $"--session-file-interval is {settings.SessionFileInterval.TotalSeconds}s; it must be 1s or more";
        if (SyncRegistration.Mistake(settings) is { } unshared) return unshared;
        if (settings.AccessLog is not ("json" or "off") && !Template.TryParse(settings.AccessLog, null, out _, out var wrong))
            return $"--access-log: {wrong}";

        return null;
    }

    private static string? CacheMistake(ServeSettings settings)
    {
        if (settings.CacheFolder is not { } folder) return null;
        if (!settings.Kubernetes) return "--cache-dir keeps what a cluster said and needs --kubernetes; manifests are on the disk already";

        try
        {
            Directory.CreateDirectory(folder);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"--cache-dir is \"{folder}\"; it cannot be created: {e.Message}";
        }
    }

    private static bool TryReadKeys(string? file, out AffinityKeys keys, out string? mistake)
    {
        (keys, mistake) = (AffinityKeys.CreateRandom(), null);
        if (file is null) return true;

        if (AffinityKeysFile.TryRead(file, out var read, out var trouble)) keys = read!;
        else mistake = $"--affinity-keys: {trouble}";
        return mistake is null;
    }
}
