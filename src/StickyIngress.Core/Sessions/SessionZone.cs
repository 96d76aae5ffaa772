namespace StickyIngress.Core.Sessions;

/// <summary>A named session table with what belongs to it: the hash of its ids and the numbers of its peers.</summary>
public sealed class SessionZone(string name, ReadOnlySpan<byte> secret, SessionTableOptions options, TimeProvider time)
{
    public string Name { get; } = name;

    public SessionHasher Hasher { get; } = new(secret, name);

    public PeerOrdinals Peers { get; } = new();

    public SessionTable Table { get; } = new(options, time);

    /// <summary>Takes saved sessions in; answers how many. The table's own sessions win over saved ones.</summary>
    public int Restore(SavedZone saved) => Peers.Restore(saved.Peers, ordinals => Table.Import(saved.Records, ordinals));
}

/// <summary>A zone as a file held it. Ordinals of the records are positions in <see cref="Peers"/>.</summary>
public sealed record SavedZone(string Name, string?[] Peers, IReadOnlyList<SessionRecord> Records);
