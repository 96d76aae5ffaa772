namespace StickyIngress.Core;

/// <summary>The one mutable reference, and the swap.</summary>
public sealed class SnapshotHolder
{
    private Snapshot _current = Snapshot.Empty;

    public Snapshot Current => Volatile.Read(ref _current);

    public void Publish(Snapshot next) => Volatile.Write(ref _current, next);
}
