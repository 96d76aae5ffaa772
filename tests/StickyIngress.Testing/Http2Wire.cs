namespace StickyIngress.Testing;

/// <summary>
/// HTTP/2 frame by frame, for what no HTTP server or client would say. Headers are written as indices of the static table, and not read.
/// </summary>
public sealed class Http2Wire(Stream stream, CancellationToken cancellationToken)
{
    internal const byte EndStream = 0x1;
    private const byte Acknowledged = 0x1, EndHeaders = 0x4;

    /// <summary>What a client begins with.</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public Task WriteAsync(Http2Frame frame) => stream.WriteAsync(frame.ToBytes(), cancellationToken).AsTask();

    public async Task<Http2Frame> ReadAsync()
    {
        var head = new byte[9];
        await stream.ReadExactlyAsync(head, cancellationToken);
        var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
        await stream.ReadExactlyAsync(payload, cancellationToken);
        return new((Http2FrameType)head[3], head[4], (head[5] << 24) | (head[6] << 16) | (head[7] << 8) | head[8], payload);
    }

    /// <summary>The next frame of a type; what else comes is passed over.</summary>
    public async Task<Http2Frame> ReadAsync(Http2FrameType type)
    {
        var frame = await ReadAsync();
        while (frame.Type != type) frame = await ReadAsync();
        return frame;
    }

    /// <summary>As a client: the preface, and a request without a body whose header fields are given in HPACK.</summary>
    /// <param name="settings">Those that are not as HTTP/2 begins, in the frame's form.</param>
    public async Task RequestAsync(int id, byte[] fields, byte[]? settings = null)
    {
        await stream.WriteAsync(Preface.ToArray(), cancellationToken);
        await WriteAsync(new(Http2FrameType.Settings, 0, 0, settings ?? []));
        await WriteAsync(new(Http2FrameType.Headers, EndStream | EndHeaders, id, fields));
    }

    /// <summary>As a server: takes the preface and says its settings.</summary>
    public async Task AcceptAsync()
    {
        await stream.ReadExactlyAsync(new byte[Preface.Length], cancellationToken);
        await WriteAsync(new(Http2FrameType.Settings, 0, 0, []));
        await WriteAsync(new(Http2FrameType.Settings, Acknowledged, 0, []));
    }

    /// <summary>As a server: status 200 and no body.</summary>
    public Task AnswerAsync(int id) => WriteAsync(new(Http2FrameType.Headers, EndStream | EndHeaders, id, [0x88]));

    public Task ResetAsync(int id, Http2Error error) => WriteAsync(new(Http2FrameType.ResetStream, 0, id, [0, 0, 0, (byte)error]));

    /// <param name="last">The last stream that was or will be processed.</param>
    public Task GoAwayAsync(int last, Http2Error error = Http2Error.None) =>
        WriteAsync(new(Http2FrameType.GoAway, 0, 0, [0, 0, 0, (byte)last, 0, 0, 0, (byte)error]));
}

public readonly record struct Http2Frame(Http2FrameType Type, byte Flags, int Stream, byte[] Payload)
{
    /// <summary>Of headers and data.</summary>
    public bool EndsStream => (Flags & Http2Wire.EndStream) != 0;

    public byte[] ToBytes() =>
    [
        (byte)(Payload.Length >> 16), (byte)(Payload.Length >> 8), (byte)Payload.Length, (byte)Type, Flags,
        (byte)(Stream >> 24), (byte)(Stream >> 16), (byte)(Stream >> 8), (byte)Stream, .. Payload,
    ];
}

public enum Http2FrameType : byte
{
    Data = 0,
    Headers = 1,
    ResetStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
}

public enum Http2Error : byte
{
    None = 0,
    Internal = 2,
    RefusedStream = 7,
}
