using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace StickyIngress.Control.Sources;

/// <summary>
/// Manifests in folders, followed as they change. The operating system's notices say when to look; what changed is found by
/// comparing the files with what was read before, so a notice that is missed, repeated or misleading costs nothing. A file is read
/// again when its stamp changed, and counts as changed when its content did.
/// </summary>
public sealed class FileSource(FileSourceOptions options, TimeProvider time, ILogger<FileSource> logger) : IResourceSource
{
    private const string Emptied = "the file was emptied; delete it, or leave a comment in it, to remove what it held";

    private readonly ManifestSet _manifests = new();
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    public async IAsyncEnumerable<ResourceSet> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var storm = new Coalescer(options.Quiet, options.Ceiling, time);
        using var notices = new FolderNotices(options.Folders, storm.Signal, logger);
        await using var poll = time.CreateTimer(
            _ =>
            {
                notices.Renew();
                storm.Signal();
            },
            null, options.Poll, options.Poll);

        var told = Read();
        yield return told;

        while (true)
        {
            await storm.WaitAsync(cancellationToken);
            var next = Read();
            if (ReferenceEquals(next, told)) continue;

            yield return told = next;
        }
    }

    /// <summary>Looks through the folders once.</summary>
    internal ResourceSet Read()
    {
        var present = new SortedSet<string>(StringComparer.Ordinal);
        var unreadable = new List<string>();
        foreach (var folder in options.Folders)
        {
            try
            {
                present.UnionWith(Directory.EnumerateFiles(folder).Where(IsManifest));
                _manifests.SetTrouble(folder, null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _manifests.SetTrouble(folder, e.Message);
                unreadable.Add(Path.TrimEndingDirectorySeparator(folder));
            }
        }

        // Reading takes the time and the files do not know each other; putting them in is quick and in order.
        var files = present.ToArray();
        var loaded = new Loaded[files.Length];
        Parallel.For(0, files.Length, i => loaded[i] = Load(files[i]));
        foreach (var load in loaded) Put(load);

        // The files of a folder that cannot be read are not gone, they are out of sight.
        foreach (var gone in _seen.Keys.Where(file => !present.Contains(file) && !unreadable.Contains(Path.GetDirectoryName(file)!)).ToArray())
        {
            _seen.Remove(gone);
            _manifests.Remove(gone);
        }

        return _manifests.Build();
    }

    /// <summary>The file itself, or the manifests of a folder.</summary>
    internal static IEnumerable<string> ManifestsOf(string path) =>
        Directory.Exists(path) ? Directory.EnumerateFiles(path).Where(IsManifest).Order(StringComparer.Ordinal) : [path];

    private static bool IsManifest(string path)
    {
        var name = Path.GetFileName(path);
        return !name.StartsWith('.')
            && Path.GetExtension(name) is var extension
            && (extension.Equals(".yaml", StringComparison.OrdinalIgnoreCase)
                || extension.Equals(".yml", StringComparison.OrdinalIgnoreCase)
                || extension.Equals(".json", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>What is new about a file. Only looks: it is called for several files at a time.</summary>
    private Loaded Load(string path)
    {
        try
        {
            var stamp = Stamp.Of(path);
            var known = _seen.GetValueOrDefault(path);

            // Who writes in place empties a file first, and may take a while to fill it.
            if (stamp.Length == 0 && known is { Hash.Length: > 0 } && known.Hash != HashOf([])) return new(path, known with { Stamp = stamp }, null, Emptied);

            if (known is not null && known.Stamp == stamp) return new(path, known, null, null);

            // What has no length is not opened either: it could be a pipe, on which this would wait for ever.
            var content = stamp.Length == 0 ? [] : File.ReadAllBytes(path);
            var seen = new Seen(stamp, HashOf(content));
            return new(path, seen, known?.Hash == seen.Hash ? null : ManifestReader.Read(content, path), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left out of sight, not dropped: it is read again when it can be, or removed once the folder does not list it any more.
            return new(path, new(default, ""), null, e.Message);
        }
    }

    private static string HashOf(ReadOnlySpan<byte> content) => Convert.ToHexString(SHA256.HashData(content));

    private void Put(Loaded loaded)
    {
        _seen[loaded.Path] = loaded.Seen;
        _manifests.SetTrouble(loaded.Path, loaded.Trouble);
        if (loaded.Reading is { } reading) _manifests.Put(loaded.Path, reading);
    }

    /// <param name="Reading">Null: the content is what it was, or cannot be read.</param>
    /// <param name="Trouble">Why it cannot be read; null: it can.</param>
    private sealed record Loaded(string Path, Seen Seen, ManifestReading? Reading, string? Trouble);

    private sealed record Seen(Stamp Stamp, string Hash);

    /// <summary>What tells one content of a file from another without reading it; of a link: that of the file it leads to.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Stamp(DateTime Written, DateTime Created, long Length)
    {
        public static Stamp Of(string path)
        {
            var file = (FileInfo?)File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
            return new(file.LastWriteTimeUtc, file.CreationTimeUtc, file.Length);
        }
    }
}
