using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>
/// The place of one session in 24 bytes. What changes while it lives is one word, so that it is read and written as a
/// whole: last use in milliseconds of the table's time (40 bits), whether it is protected (1), and the peer (23).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SessionSlot
{
    /// <summary>The highest number that a peer may have.</summary>
    public const int MaxOrdinal = (1 << OrdinalBits) - 1;

    private const int OrdinalBits = 23;
    private const int TimeShift = OrdinalBits + 1;
    private const ulong ProtectedBit = 1UL << OrdinalBits;

    public SessionKey Key;

    /// <summary>Zero: nobody is here.</summary>
    public ulong State;

    public readonly int Ordinal => OrdinalOf(State);

    public readonly bool IsProtected => (State & ProtectedBit) != 0;

    public readonly long LastUsed => (long)(State >> TimeShift);

    public static int OrdinalOf(ulong state) => (int)(state & MaxOrdinal);

    public static ulong StateOf(int ordinal, long lastUsed, bool isProtected) =>
        ((ulong)lastUsed << TimeShift) | (isProtected ? ProtectedBit : 0) | (uint)ordinal;
}
