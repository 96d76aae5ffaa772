using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyIngress.Core.Affinity;

namespace StickyIngress.Control.Sources;

/// <summary>
/// Follows the file of the affinity keys, be it rewritten, replaced, or a mounted Secret, whose folder Kubernetes swaps by a link. A file
/// that cannot be used leaves the keys as they are, and is told once.
/// </summary>
public sealed class AffinityKeysFile(string path, AffinityKeysHolder keys, TimeProvider time, ILogger<AffinityKeysFile> logger) : BackgroundService
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    /// <summary>False with a sentence that names the file and has no key in it.</summary>
    public static bool TryRead(string path, out AffinityKeys? keys, out string? trouble)
    {
        (keys, trouble) = (null, null);
        try
        {
            if (!AffinityKeys.TryParse(File.ReadAllBytes(path), out keys, out var wrong)) trouble = $"{path}: {wrong}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            trouble = $"cannot read {path}: {e.Message}";
        }

        return keys is not null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var storm = new Coalescer(Quiet, Ceiling, time);
        using var notices = new FolderNotices([Path.GetDirectoryName(Path.GetFullPath(path))!], storm.Signal, logger);
        await using var poll = time.CreateTimer(
            _ =>
            {
                notices.Renew();
                storm.Signal();
            },
            null, Poll, Poll);

        while (true)
        {
            // Once at the start too: the file may have changed since it was first read.
            Read();
            await storm.WaitAsync(stoppingToken);
        }
    }

    private void Read()
    {
        if (!TryRead(path, out var read, out var trouble))
        {
            if (trouble != keys.Trouble) Log.KeysKept(logger, trouble!);
            keys.Trouble = trouble;
            return;
        }

        keys.Trouble = null;
        if (read!.Fingerprint == keys.Current.Fingerprint) return;

        keys.Publish(read);
        Log.KeysChanged(logger, read.Count, read.Fingerprint);
    }
}
