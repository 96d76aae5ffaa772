using System.Text;

namespace StickyIngress.Testing.Dns;

/// <summary>A question as it comes over the wire, and the answers to it (RFC 1035).</summary>
internal sealed record DnsMessage(byte[] Id, string Name, int Type)
{
    private const int HeaderLength = 12;

    public static DnsMessage Read(byte[] message)
    {
        var labels = new List<string>();
        var at = HeaderLength;
        while (message[at] != 0)
        {
            labels.Add(Encoding.ASCII.GetString(message, at + 1, message[at]));
            at += 1 + message[at];
        }

        return new(message[..2], string.Join('.', labels), (message[at + 1] << 8) | message[at + 2]);
    }

    /// <summary>The root is the empty name.</summary>
    public static byte[] Encode(string name) =>
        [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];

    public byte[] Answer(int code, IReadOnlyCollection<DnsRecord> records, bool truncated = false) =>
    [
        .. Id, (byte)(0x81 | (truncated ? 2 : 0)), (byte)(0x80 | code), 0, 1, .. Number(records.Count), 0, 0, 0, 0,
        .. Encode(Name), .. Number(Type), 0, 1,
        .. records.SelectMany(Encode),
    ];

    private static byte[] Encode(DnsRecord record) =>
    [
        .. Encode(record.Owner), .. Number(record.Type), 0, 1, .. Number(record.TimeToLive >> 16), .. Number(record.TimeToLive),
        .. Number(record.Data.Length), .. record.Data,
    ];

    private static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];
}
