using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;

namespace StickyIngress.Core.Tests.Sharing;

/// <summary>What a store holds. Each replica reaches it through a <see cref="FakeStore"/> of its own.</summary>
internal sealed class StoreContent
{
    public Dictionary<SharedKey, byte[]> Values { get; } = [];

    /// <summary>Of the latest write of each.</summary>
    public Dictionary<SharedKey, TimeSpan> Lifetimes { get; } = [];

    public string Life { get; set; } = "first";

    public List<FakeStore> Replicas { get; } = [];

    /// <summary>As the script does it.</summary>
    public byte[] Write(SharedWrite write)
    {
        var stands = Values.TryGetValue(write.Key, out var found);
        if (stands && (Same(found!, write.Value) || !write.Expected.Any(expected => Same(found!, expected)))) return found!;

        (Values[write.Key], Lifetimes[write.Key]) = (write.Value, write.Lifetime);
        if (write.Announcement is { } announcement)
            foreach (var replica in Replicas) replica.Announcements.Add(announcement);
        return write.Value;
    }

    private static bool Same(byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b);
}

/// <summary>One replica's way to the store: nothing arrives and nothing comes back until the test says so.</summary>
internal sealed class FakeStore : ISharedStore
{
    private readonly StoreContent _content;

    public FakeStore(StoreContent content)
    {
        _content = content;
        content.Replicas.Add(this);
    }

    public event Action<ReadOnlyMemory<byte>>? Announced;

    public List<Call> Calls { get; } = [];

    public List<byte[]> Announcements { get; } = [];

    public bool Unreachable { get; set; }

    public bool Full { get; set; }

    public string? DeadPart { get; set; }

    /// <summary>A session under whose key something else is.</summary>
    public SessionKey? Occupied { get; set; }

    /// <summary>What writes of sessions are answered with, while probes succeed; null: they are taken.</summary>
    public string? Refusal { get; set; }

    public Task<byte[]?> ReadAsync(SharedKey key) => Later(() => _content.Values.GetValueOrDefault(key));

    public Task<byte[]> WriteAsync(SharedWrite write) =>
        write.Key.Session == Occupied ? Task.FromException<byte[]>(new UnusableKeyException("another type", new IOException()))
        : PartOf(write.Key) == DeadPart ? Task.FromException<byte[]>(new IOException("dead"))
        : Refusal is null ? Later(() => _content.Write(write)) : Task.FromException<byte[]>(new IOException(Refusal));

    public IReadOnlyCollection<string> Parts { get; set; } = [""];

    /// <summary>Sessions with an even number are in the first part, those with an odd one in the last.</summary>
    public string PartOf(in SharedKey key) => key.Session.High % 2 == 1 ? Parts.First() : Parts.Last();

    public Task TryReadAsync(string part) => Task.CompletedTask;

    public Task<StoreProbe> ProbeAsync(string part) =>
        Unreachable || DeadPart == part ? Task.FromException<StoreProbe>(new IOException("unreachable")) : Task.FromResult(new StoreProbe(_content.Life, !Full));

    public void Hear(int index)
    {
        var announcement = Announcements[index];
        Announcements.RemoveAt(index);
        Announced?.Invoke(announcement);
    }

    /// <summary>Everything that is on its way arrives, in order, and what that brings about too.</summary>
    public void Deliver()
    {
        while (Calls.Count > 0) Calls[0].Run(apply: true, answer: true);
        while (Announcements.Count > 0) Hear(0);
    }

    private Task<T> Later<T>(Func<T> apply)
    {
        if (Unreachable) return Task.FromException<T>(new IOException("unreachable"));

        var answer = new TaskCompletionSource<T>();
        Call? call = null;
        call = new((applied, answered) =>
        {
            Calls.Remove(call!);
            var value = applied ? apply() : default!;
            if (answered) answer.SetResult(value);
            else answer.SetException(new IOException("lost"));
        });
        Calls.Add(call);
        return answer.Task;
    }
}

/// <summary>A call that is underway.</summary>
/// <param name="Run">Ends it: whether the store does it, and whether the caller gets the answer.</param>
internal sealed record Call(EndCall Run);

internal delegate void EndCall(bool apply, bool answer);
