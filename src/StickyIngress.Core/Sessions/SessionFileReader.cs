using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using static StickyIngress.Core.Sessions.SessionFileFormat;

namespace StickyIngress.Core.Sessions;

/// <summary>Reads the blocks of a session file and refuses it at the first thing that is not as written.</summary>
internal sealed class SessionFileReader(Stream stream, DateTimeOffset now, byte[] fingerprint)
{
    private const long LongestDowntime = 100L * 365 * 24 * 60 * 60 * 1000; // ms

    private readonly List<SavedZone> _zones = [];
    private List<SessionRecord> _records = [];
    private string?[] _peers = [];
    private string? _zone;
    private TimeSpan _timeout;
    private TimeSpan _downtime;
    private long _recordsRead;
    private long _blocks;

    public IReadOnlyList<SavedZone> Read()
    {
        ReadStart();
        ReadHeader(ReadBlock(SessionFileBlock.Header).Payload);
        while (true)
        {
            var (kind, payload) = ReadBlock(expected: null);
            switch (kind)
            {
                case SessionFileBlock.Zone:
                    EndZone();
                    ReadZone(payload);
                    break;
                case SessionFileBlock.Records when _zone is not null && payload.Length % RecordLength == 0:
                    ReadRecords(payload);
                    break;
                case SessionFileBlock.End when payload.Length == sizeof(long):
                    EndZone();
                    var complete = BinaryPrimitives.ReadInt64LittleEndian(payload) == _recordsRead && stream.ReadByte() < 0;
                    return complete ? _zones : throw Torn("does not end where it should");
                default:
                    throw Torn($"has an unexpected block of kind {kind:D}");
            }
        }
    }

    /// <summary>The wrapped secret alone, which stands in the header.</summary>
    public byte[] ReadWrappedSecret()
    {
        ReadStart();
        var payload = ReadBlock(SessionFileBlock.Header).Payload;
        return payload.Length < sizeof(long) + FingerprintLength ? [] : payload[(sizeof(long) + FingerprintLength)..];
    }

    private void ReadStart()
    {
        Span<byte> start = stackalloc byte[Magic.Length + sizeof(int)];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (!start[..Math.Min(length, Magic.Length)].SequenceEqual(Magic[..Math.Min(length, Magic.Length)]))
            throw new SessionFileException(SessionFileOutcome.Foreign, "is not a session file");
        if (length < start.Length) throw Torn("is cut short");

        var version = BinaryPrimitives.ReadInt32LittleEndian(start[Magic.Length..]);
        if (version != FormatVersion)
        {
            throw new SessionFileException(
                SessionFileOutcome.OtherVersion, $"has format version {version}; this release reads {FormatVersion}");
        }
    }

    private void ReadHeader(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < sizeof(long) + FingerprintLength) throw Torn("has a header that is too short");
        if (!payload.Slice(sizeof(long), FingerprintLength).SequenceEqual(fingerprint))
        {
            throw new SessionFileException(
                SessionFileOutcome.OtherSecret, "was written with another secret, so its sessions cannot be recognised");
        }

        // A clock that was set back must not make sessions younger.
        var elapsed = now.ToUnixTimeMilliseconds() - BinaryPrimitives.ReadInt64LittleEndian(payload);
        _downtime = TimeSpan.FromMilliseconds(Math.Clamp(elapsed, 0, LongestDowntime));
    }

    private void ReadZone(byte[] payload)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(payload), Encoding.UTF8);
            _zone = reader.ReadString();
            _timeout = new TimeSpan(reader.ReadInt64());
            var peers = new List<string?>();
            for (var left = reader.ReadInt32(); left > 0; left--)
                peers.Add(reader.ReadString() is { Length: > 0 } peer ? peer : null);
            _peers = [.. peers];
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            throw Torn("has a zone that cannot be read");
        }
    }

    private void ReadRecords(ReadOnlySpan<byte> payload)
    {
        for (; payload.Length > 0; payload = payload[RecordLength..])
        {
            var key = new SessionKey(
                BinaryPrimitives.ReadUInt64LittleEndian(payload), BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]));
            var ordinal = BinaryPrimitives.ReadInt32LittleEndian(payload[16..]);
            var used = BinaryPrimitives.ReadUInt32LittleEndian(payload[20..]);
            if ((uint)ordinal >= (uint)_peers.Length || _peers[ordinal] is null) throw Torn("binds a session to no peer");

            var age = TimeSpan.FromSeconds(used & ~ProtectedBit) + _downtime;
            if (age < _timeout) _records.Add(new SessionRecord(key, ordinal, age, (used & ProtectedBit) != 0));
            _recordsRead++;
        }
    }

    private void EndZone()
    {
        if (_zone is null) return;

        _zones.Add(new SavedZone(_zone, _peers, _records));
        _records = [];
    }

    private (SessionFileBlock Kind, byte[] Payload) ReadBlock(SessionFileBlock? expected)
    {
        Span<byte> header = stackalloc byte[BlockHeaderLength];
        Fill(header);
        var kind = (SessionFileBlock)BinaryPrimitives.ReadInt32LittleEndian(header);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header[sizeof(int)..]);
        if (length is < 0 or > MaxPayloadLength) throw Torn("has a block of impossible length");

        var payload = new byte[length];
        Span<byte> checksum = stackalloc byte[ChecksumLength];
        Fill(payload);
        Fill(checksum);

        var hash = new XxHash64(_blocks++);
        hash.Append(header);
        hash.Append(payload);
        if (hash.GetCurrentHashAsUInt64() != BinaryPrimitives.ReadUInt64LittleEndian(checksum))
            throw Torn($"has a wrong checksum in block {_blocks}");
        if (expected is { } wanted && kind != wanted) throw Torn($"has a block of kind {kind:D} where {wanted:D} belongs");

        return (kind, payload);
    }

    private void Fill(Span<byte> buffer)
    {
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length) throw Torn("is cut short");
    }

    private static SessionFileException Torn(string message) => new(SessionFileOutcome.Torn, message);
}
