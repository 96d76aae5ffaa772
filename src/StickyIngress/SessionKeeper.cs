using System.Security.Cryptography;
using StickyIngress.Control;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Sessions;
using StickyIngress.Settings;

namespace StickyIngress;

/// <summary>
/// Keeps the sessions of learn over a restart: reads the session file before anything serves, writes it from time to time, and once
/// more when the last request has ended. Whatever is wrong with the file costs its sessions and nothing else.
/// </summary>
internal sealed class SessionKeeper(
    SessionZones zones, AffinityKeysHolder keys, ReconcilerState reconciler, ServeSettings settings, TimeProvider time, ILogger<SessionKeeper> logger)
    : LifecycleService, IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _writing = Task.CompletedTask;
    private long _lastSaved;
    private bool _disposed;

    /// <summary>When the file was last written; null: not yet, or there is none.</summary>
    public DateTimeOffset? LastSaved => Interlocked.Read(ref _lastSaved) is > 0 and var at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    /// <summary>
    /// What keys the hash of session ids: what the file's sessions were hashed with, so that it outlives a rotation; else a secret
    /// derived from the keys, which is the same on every replica; else a random one.
    /// </summary>
    public static byte[] Secret(ServeSettings settings, AffinityKeys keys)
    {
        if (keys.IsRandom) return RandomNumberGenerator.GetBytes(32);

        var saved = settings.SessionFile is { } file ? keys.Unwrap(SessionFile.ReadWrappedSecret(file)) : null;
        if (saved is not { Length: >= SessionHasher.MinimumSecretLength }) return keys.SessionSecret;

        // Other replicas know the secrets of the accepted keys, and no other.
        return settings.SyncStore is null || keys.SessionSecrets.Any(secret => secret.AsSpan().SequenceEqual(saved)) ? saved : keys.SessionSecret;
    }

    public override Task StartingAsync(CancellationToken cancellationToken)
    {
        if (settings.SessionFile is not { } file) return Task.CompletedTask;

        var result = zones.Load(file);
        if (result.Outcome is SessionFileOutcome.Loaded or SessionFileOutcome.Missing) Log.SessionsRead(logger, result.Message);
        else Log.SessionsRefused(logger, result.Message);
        return Task.CompletedTask;
    }

    public override Task StartedAsync(CancellationToken cancellationToken)
    {
        if (settings.SessionFile is { } file) _writing = Task.Run(() => WriteAsync(file), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>After the proxy has stopped, however long that took.</summary>
    public override async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _writing;
        if (settings.SessionFile is { } file) Save(file);
    }

    /// <summary>Registered as itself and as a hosted service, so the container disposes it twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;

        _disposed = true;
        await _stopping.CancelAsync();
        await _writing;
        _stopping.Dispose();
    }

    private async Task WriteAsync(string file)
    {
        using var timer = new PeriodicTimer(settings.SessionFileInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token)) Save(file);
        }
        catch (OperationCanceledException)
        {
            // Serving has ended.
        }
    }

    private void Save(string file)
    {
        // Before the first publish no upstream has taken its sessions over from the file yet: it would lose them.
        if (!reconciler.IsReady) return;

        try
        {
            zones.Save(file, keys.Current.Wrap);
            Interlocked.Exchange(ref _lastSaved, time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.SessionsNotWritten(logger, file, e.Message);
        }
    }
}
