using System.Text;

namespace StickyIngress.Proxy.Caching;

/// <summary>A response as the cache keeps it. One with status 0 is no response but the request headers that tell the real ones apart (Vary).</summary>
/// <param name="StoredAt">Unix seconds.</param>
/// <param name="FreshUntil">Unix seconds.</param>
internal sealed record KeptResponse(
    int Status, long StoredAt, long FreshUntil, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    private const byte Version = 1;

    public string? Header(string name) =>
        Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream(Body.Length + 512);
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Version);
        writer.Write(Status);
        writer.Write(StoredAt);
        writer.Write(FreshUntil);
        writer.Write(Headers.Count);
        foreach (var (name, value) in Headers)
        {
            writer.Write(name);
            writer.Write(value);
        }

        writer.Write(Body.Length);
        writer.Write(Body.Span);
        return stream.ToArray();
    }

    /// <summary>Null for what another version has written.</summary>
    public static KeptResponse? FromBytes(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        if (reader.ReadByte() != Version) return null;

        var (status, storedAt, freshUntil) = (reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64());
        var headers = new KeyValuePair<string, string>[reader.ReadInt32()];
        for (var i = 0; i < headers.Length; i++) headers[i] = new(reader.ReadString(), reader.ReadString());

        var length = reader.ReadInt32();
        return new(status, storedAt, freshUntil, headers, bytes.AsMemory(bytes.Length - length, length));
    }
}
