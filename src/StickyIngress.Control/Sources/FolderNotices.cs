using Microsoft.Extensions.Logging;

namespace StickyIngress.Control.Sources;

/// <summary>The operating system's notices that something in a folder changed. A folder that cannot be watched yet is tried again by <see cref="Renew"/>.</summary>
internal sealed class FolderNotices : IDisposable
{
    private readonly IReadOnlyList<string> _folders;
    private readonly Action _changed;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FileSystemWatcher> _watchers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private bool _disposed;

    public FolderNotices(IReadOnlyList<string> folders, Action changed, ILogger logger)
    {
        (_folders, _changed, _logger) = (folders, changed, logger);
        Renew();
    }

    /// <summary>Watches the folders that are not watched.</summary>
    public void Renew()
    {
        lock (_gate)
        {
            if (_disposed) return;

            foreach (var folder in _folders)
            {
                if (!_watchers.ContainsKey(folder)) Watch(folder);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var watcher in _watchers.Values) watcher.Dispose();
            _watchers.Clear();
        }
    }

    private void Watch(string folder)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(folder)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            watcher.Changed += (_, _) => _changed();
            watcher.Created += (_, _) => _changed();
            watcher.Deleted += (_, _) => _changed();
            watcher.Renamed += (_, _) => _changed();
            watcher.Error += (_, _) => Restart(folder);
            watcher.EnableRaisingEvents = true;
            _watchers.Add(folder, watcher);
            _told.Remove(folder);
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
            if (_told.Add(folder)) Log.FolderNotWatched(_logger, folder, e.Message);
        }
    }

    /// <summary>Notices were lost, or the folder is gone: the next poll begins anew.</summary>
    private void Restart(string folder)
    {
        lock (_gate)
        {
            if (_watchers.Remove(folder, out var failed)) failed.Dispose();
        }

        _changed();
    }
}
