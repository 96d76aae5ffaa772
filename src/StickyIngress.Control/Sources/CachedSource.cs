using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace StickyIngress.Control.Sources;

/// <summary>
/// Keeps what another source last said in a file, so that a start while that source is away has something to serve. The file is
/// handed out only when the source says nothing for a while, and what the source says then replaces it whole.
/// </summary>
public sealed class CachedSource(IResourceSource source, ResourceFile file, CachedSourceOptions options, TimeProvider time, ILogger<CachedSource> logger)
    : IResourceSource
{
    private volatile ResourceSet? _last;

    public async IAsyncEnumerable<ResourceSet> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var storm = new Coalescer(options.Quiet, options.Ceiling, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = Task.CompletedTask;
        await using var sets = source.WatchAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        var next = sets.MoveNextAsync().AsTask();
        try
        {
            if (!await EndsWithinAsync(next, options.Patience, cancellationToken) && file.Read() is { } kept)
            {
                Log.CacheServed(logger, file.Path, kept.Upstreams.Count);
                yield return kept;
            }

            writing = WriteAsync(storm, stop.Token);
            while (await next)
            {
                _last = sets.Current;
                storm.Signal();
                yield return sets.Current;
                next = sets.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await stop.CancelAsync();
            await writing;
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> EndsWithinAsync(Task task, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(patience, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Writes after each quiet time, and once more at the end if something is not written yet.</summary>
    private async Task WriteAsync(Coalescer storm, CancellationToken stopping)
    {
        ResourceSet? written = null;
        while (!stopping.IsCancellationRequested)
        {
            await storm.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_last is not { } last || ReferenceEquals(last, written)) continue;

            try
            {
                file.Write(last);
                written = last;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.CacheNotWritten(logger, file.Path, e.Message);
            }
        }
    }
}

/// <summary>When the file is used and when it is written.</summary>
public sealed record CachedSourceOptions
{
    /// <summary>How long a start waits for the source before it takes the file.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The file is written once nothing has changed for so long.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How old the file becomes at most while changes keep coming.</summary>
    public TimeSpan Ceiling { get; init; } = TimeSpan.FromSeconds(60);
}
