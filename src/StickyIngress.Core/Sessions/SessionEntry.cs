using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>
/// One session in 40 bytes. Links are positions in the store plus one, so that zero, which fresh memory is, means none.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SessionEntry
{
    private const int ProtectedBit = int.MinValue;

    public SessionKey Key;

    /// <summary>When it was last learned, in ticks of the table's clock.</summary>
    public long LastUsed;

    /// <summary>Next in the same bucket.</summary>
    public int Chain;

    /// <summary>Neighbours in the segment's list, which is ordered by <see cref="LastUsed"/>.</summary>
    public int Older;

    public int Newer;

    private int _bound;

    public int Ordinal
    {
        readonly get => _bound & ~ProtectedBit;
        set => _bound = value | (_bound & ProtectedBit);
    }

    public bool IsProtected
    {
        readonly get => _bound < 0;
        set => _bound = value ? _bound | ProtectedBit : _bound & ~ProtectedBit;
    }
}
