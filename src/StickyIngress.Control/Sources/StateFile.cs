using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Sources;

/// <summary>
/// What was changed at run time, in a file. The first line says what the file is, its version, and the length and SHA-256 of the rest: a peer in
/// JSON on each line. It is replaced as a whole, and read whole or not at all.
/// </summary>
/*
 * A file that cannot be used is never written over: it may be somebody else's by a slip of the pen, or a newer release's, or the last
 * trace of what was set before a disk failed. Nothing is kept then until somebody has moved it away.
 */
public sealed class StateFile(string path)
{
    private const string Magic = "stickyingress-state";
    private const int FormatVersion = 1;
    private const int LongestFirstLine = 128;
    private const int LongestRest = 64 * 1024 * 1024;

    /// <summary>Why the file that is there cannot be used; null: it can, or there is none.</summary>
    public string? Trouble { get; private set; }

    /// <summary>What the file holds; nothing where there is none, or where <see cref="Trouble"/> says why it cannot be used.</summary>
    public PeerOverrides Read()
    {
        Trouble = null;
        try
        {
            if (!Path.Exists(path)) return PeerOverrides.Empty;

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
            return Parse(stream);
        }
        catch (InvalidDataException e)
        {
            Trouble = $"{path} {e.Message}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Trouble = $"{path} cannot be read: {e.Message}";
        }

        return PeerOverrides.Empty;
    }

    /// <summary>Replaces the file. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where that fails; the former file then stays.</summary>
    public void Write(PeerOverrides overrides)
    {
        if (Trouble is not null && Path.Exists(path)) throw new IOException($"{Trouble}, and is left as it is until it is moved away");

        Trouble = null;
        var rest = Lines(overrides);
        var temporary = path + ".tmp";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(Encoding.ASCII.GetBytes($"{Magic} {FormatVersion} {rest.Length} {Checksum(rest)}\n"));
            stream.Write(rest);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static PeerOverrides Parse(FileStream stream)
    {
        var buffer = new byte[LongestFirstLine];
        var start = buffer.AsSpan(0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
        var end = start.IndexOf((byte)'\n');
        var words = Encoding.Latin1.GetString(end < 0 ? start : start[..end]).Split(' ');
        if (words[0] != Magic) throw new InvalidDataException("is not a state file");
        if (words.Length > 1 && words[1] != FormatVersion.ToString(CultureInfo.InvariantCulture))
            throw new InvalidDataException($"has format version {words[1]}; this release reads {FormatVersion}");
        if (end < 0 || words.Length != 4 || !int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > LongestRest)
            throw new InvalidDataException("is cut short in its first line");

        var rest = new byte[length];
        stream.Position = end + 1;
        var read = stream.ReadAtLeast(rest, length, throwOnEndOfStream: false);
        if (read < length || stream.ReadByte() >= 0) throw new InvalidDataException("has not the length that its first line says");
        if (Checksum(rest) != words[3]) throw new InvalidDataException("has another checksum than its first line says");

        return ParseLines(rest);
    }

    private static PeerOverrides ParseLines(ReadOnlyMemory<byte> rest)
    {
        var overrides = PeerOverrides.Empty;
        try
        {
            while (!rest.IsEmpty)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                using var line = JsonDocument.Parse(rest[..end]);
                overrides = overrides.With(Peer(line.RootElement), Override(line.RootElement));
                rest = rest[(end + 1)..];
            }

            return overrides;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentOutOfRangeException)
        {
            throw new InvalidDataException("has a line that is not as this release writes it", e);
        }
    }

    private static PeerRef Peer(JsonElement line)
    {
        string Text(string name) => line.GetProperty(name).GetString()!;
        return new(new(Text("namespace"), Text("upstream")), new(Text("server"), new(Text("id")), Text("address")));
    }

    private static PeerOverride Override(JsonElement line) => new(
        line.TryGetProperty("down", out var down) ? down.GetBoolean() : null,
        line.TryGetProperty("drain", out var drain) ? drain.GetBoolean() : null,
        line.TryGetProperty("weight", out var weight) ? weight.GetInt32() : null);

    private static byte[] Lines(PeerOverrides overrides)
    {
        var lines = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(lines);
        foreach (var (peer, change) in overrides.All.OrderBy(one => one.Peer.ToString(), StringComparer.Ordinal))
        {
            writer.WriteStartObject();
            writer.WriteString("namespace", peer.Upstream.Namespace);
            writer.WriteString("upstream", peer.Upstream.Name);
            writer.WriteString("server", peer.Peer.Server);
            writer.WriteString("id", peer.Peer.Id.Value);
            writer.WriteString("address", peer.Peer.Address);
            if (change.Down is { } down) writer.WriteBoolean("down", down);
            if (change.Drain is { } drain) writer.WriteBoolean("drain", drain);
            if (change.Weight is { } weight) writer.WriteNumber("weight", weight);
            writer.WriteEndObject();
            writer.Flush();
            writer.Reset();
            lines.Write("\n"u8);
        }

        return lines.WrittenSpan.ToArray();
    }

    private static string Checksum(ReadOnlySpan<byte> rest) => Convert.ToHexStringLower(SHA256.HashData(rest));
}
