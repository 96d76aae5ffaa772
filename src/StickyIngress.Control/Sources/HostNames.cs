using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Control.Sources;

/// <summary>
/// Resolves each name once, when a server first has it, as nginx does when it loads; a name that does not resolve is tried again
/// after a time that doubles. <paramref name="changed"/> is called when the book says something new.
/// </summary>
internal sealed class HostNames(IHostResolver resolver, TimeProvider time, Action changed, CancellationToken stopping)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _wanted = new(StringComparer.OrdinalIgnoreCase);
    private AddressBook _book = AddressBook.Empty;

    public AddressBook Book => Volatile.Read(ref _book);

    /// <summary>
    /// These names are in use, and no others. Ends when each new one was asked for once, or after the patience: an answer that comes
    /// later is told by the callback.
    /// </summary>
    public async Task UseAsync(IReadOnlySet<string> names, TimeSpan patience)
    {
        var asked = Want(names);
        if (asked.Count == 0) return;

        try
        {
            await Task.WhenAll(asked).WaitAsync(patience, time, stopping);
        }
        catch (TimeoutException)
        {
            // Nobody else waits for a slow answer.
        }
    }

    private List<Task> Want(IReadOnlySet<string> names)
    {
        lock (_gate)
        {
            _wanted.RemoveWhere(name => !names.Contains(name));
            Volatile.Write(ref _book, new(_book.Hosts.RemoveRange(_book.Hosts.Keys.Where(name => !_wanted.Contains(name)))));
            return [.. names.Where(_wanted.Add).Select(AskFirst)];
        }
    }

    private async Task AskFirst(string name)
    {
        if (!await AskAsync(name)) _ = RetryAsync(name);
    }

    private async Task RetryAsync(string name)
    {
        try
        {
            for (var wait = FirstRetry; ; wait = wait * 2 < LastRetry ? wait * 2 : LastRetry)
            {
                await Task.Delay(wait, time, stopping);
                if (await AskAsync(name)) return;
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    /// <summary>True when no further question is needed: it was answered, or nobody wants to know any more.</summary>
    private async Task<bool> AskAsync(string name)
    {
        ImmutableArray<IPAddress> addresses = [];
        string? error = null;
        try
        {
            addresses = await resolver.ResolveAsync(name, stopping);
        }
        catch (SocketException e)
        {
            error = e.Message;
        }
        catch (OperationCanceledException)
        {
            return true;
        }

        lock (_gate)
        {
            if (!_wanted.Contains(name)) return true;

            var former = _book.Find(name);
            var entry = new HostAddresses(error is null ? addresses : former?.Addresses ?? [], error);
            if (former is not null && former.Error == error && former.Addresses.SequenceEqual(entry.Addresses)) return error is null;

            Volatile.Write(ref _book, new(_book.Hosts.SetItem(name, entry)));
        }

        changed();
        return error is null;
    }
}
