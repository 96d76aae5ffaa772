using System.Runtime.InteropServices;
using System.Text;

namespace StickyIngress.Core.Balancing;

/// <summary>
/// The points of one server, one after the other: each is the CRC-32 of host, a zero byte, port and the point before. The port
/// is what the text says; none is added.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct KetamaChain
{
    private const uint Polynomial = 0xEDB88320;
    private const string UnixPrefix = "unix:";

    private static readonly uint[] Table = MakeTable();

    private readonly uint _start;
    private uint _last;

    public KetamaChain(string server)
    {
        var (host, port) = Split(server);
        _start = Append(Append(Append(uint.MaxValue, Encoding.UTF8.GetBytes(host)), [0]), Encoding.UTF8.GetBytes(port));
    }

    public uint Next()
    {
        var crc = _start;
        for (var shift = 0; shift < 32; shift += 8) crc = Append(crc, (byte)(_last >> shift));
        return _last = ~crc;
    }

    private static (string Host, string Port) Split(string server)
    {
        if (server.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase)) return (server[UnixPrefix.Length..], "");

        var colon = server.LastIndexOf(':');
        var hasPort = colon >= 0 && colon + 1 < server.Length && !server.AsSpan(colon + 1).ContainsAnyExceptInRange('0', '9');
        return hasPort ? (server[..colon], server[(colon + 1)..]) : (server, "");
    }

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes) crc = Append(crc, one);
        return crc;
    }

    private static uint Append(uint crc, byte one) => Table[(byte)(crc ^ one)] ^ (crc >> 8);

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var entry = i;
            for (var bit = 0; bit < 8; bit++) entry = (entry >> 1) ^ ((entry & 1) * Polynomial);
            table[i] = entry;
        }

        return table;
    }
}
