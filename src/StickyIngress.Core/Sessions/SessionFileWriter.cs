using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using static StickyIngress.Core.Sessions.SessionFileFormat;

namespace StickyIngress.Core.Sessions;

/// <summary>Writes the blocks of a session file, in the order in which they are asked for.</summary>
internal sealed class SessionFileWriter
{
    private readonly Stream _stream;
    private readonly byte[] _records = new byte[RecordsPerBlock * RecordLength];
    private long _recordsWritten;
    private long _blocks;

    public SessionFileWriter(Stream stream)
    {
        _stream = stream;
        Span<byte> start = stackalloc byte[Magic.Length + sizeof(int)];
        Magic.CopyTo(start);
        BinaryPrimitives.WriteInt32LittleEndian(start[Magic.Length..], FormatVersion);
        _stream.Write(start);
    }

    public void WriteHeader(DateTimeOffset writtenAt, ReadOnlySpan<byte> fingerprint, ReadOnlySpan<byte> wrappedSecret)
    {
        Span<byte> payload = new byte[sizeof(long) + FingerprintLength + wrappedSecret.Length];
        BinaryPrimitives.WriteInt64LittleEndian(payload, writtenAt.ToUnixTimeMilliseconds());
        fingerprint.CopyTo(payload[sizeof(long)..]);
        wrappedSecret.CopyTo(payload[(sizeof(long) + FingerprintLength)..]);
        WriteBlock(SessionFileBlock.Header, payload);
    }

    public void WriteZone(SessionZone zone)
    {
        var peers = zone.Peers.ToArray();
        using var payload = new MemoryStream();
        using (var writer = new BinaryWriter(payload, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(zone.Name);
            writer.Write(zone.Table.Timeout.Ticks);
            writer.Write(peers.Length);
            foreach (var peer in peers) writer.Write(peer ?? "");
        }

        WriteBlock(SessionFileBlock.Zone, payload.GetBuffer().AsSpan(0, (int)payload.Length));
        WriteRecords(zone, peers);
    }

    public void WriteEnd()
    {
        Span<byte> payload = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, _recordsWritten);
        WriteBlock(SessionFileBlock.End, payload);
    }

    private void WriteRecords(SessionZone zone, string?[] peers)
    {
        var filled = 0;
        foreach (var record in zone.Table.Export())
        {
            // A number that got another peer since the zone block was written would bind the session to a stranger.
            if (record.Ordinal >= peers.Length || peers[record.Ordinal] is not { } peer) continue;
            if (!ReferenceEquals(zone.Peers.PeerAt(record.Ordinal), peer)) continue;

            Put(_records.AsSpan(filled * RecordLength), record);
            if (++filled < RecordsPerBlock) continue;

            WriteBlock(SessionFileBlock.Records, _records);
            _recordsWritten += filled;
            filled = 0;
        }

        if (filled > 0) WriteBlock(SessionFileBlock.Records, _records.AsSpan(0, filled * RecordLength));
        _recordsWritten += filled;
    }

    private static void Put(Span<byte> to, in SessionRecord record)
    {
        // Rounded up, so that saving never makes a session live longer.
        var seconds = (uint)Math.Min(Math.Ceiling(record.Age.TotalSeconds), int.MaxValue);
        BinaryPrimitives.WriteUInt64LittleEndian(to, record.Key.High);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], record.Key.Low);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], record.Ordinal);
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], seconds | (record.IsProtected ? ProtectedBit : 0));
    }

    private void WriteBlock(SessionFileBlock kind, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[BlockHeaderLength];
        BinaryPrimitives.WriteInt32LittleEndian(header, (int)kind);
        BinaryPrimitives.WriteInt32LittleEndian(header[sizeof(int)..], payload.Length);

        var hash = new XxHash64(_blocks++);
        hash.Append(header);
        hash.Append(payload);
        Span<byte> checksum = stackalloc byte[ChecksumLength];
        BinaryPrimitives.WriteUInt64LittleEndian(checksum, hash.GetCurrentHashAsUInt64());

        _stream.Write(header);
        _stream.Write(payload);
        _stream.Write(checksum);
    }
}
