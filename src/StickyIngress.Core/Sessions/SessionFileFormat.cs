namespace StickyIngress.Core.Sessions;

/// <summary>What writer and reader of a session file agree on.</summary>
internal static class SessionFileFormat
{
    public const int FormatVersion = 1;
    public const int FingerprintLength = 16;

    /// <summary>Key (16), ordinal (4), seconds since last use with the protected bit on top (4).</summary>
    public const int RecordLength = 24;

    public const int RecordsPerBlock = 16_384;
    public const uint ProtectedBit = 1u << 31;
    public const int BlockHeaderLength = 8;
    public const int ChecksumLength = 8;
    public const int MaxPayloadLength = 64 * 1024 * 1024;

    public static ReadOnlySpan<byte> Magic => "STICKYSE"u8;
}

internal enum SessionFileBlock
{
    Header = 1,
    Zone = 2,
    Records = 3,
    End = 4,
}
