using System.Buffers;
using System.Text;

namespace StickyIngress.Admin;

/// <summary>Writes the Prometheus text format to a stream, a buffer at a time.</summary>
internal sealed class MetricsText(Stream stream)
{
    private const string Prefix = "stickyingress_";
    private const int Full = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(2 * Full);

    public void Begin(string name, string type, string help)
    {
        Write("# HELP ", Prefix, name, " ", help);
        Write("\n# TYPE ", Prefix, name, " ", type, "\n");
    }

    public void Sample(string name, double value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        Write(Prefix, name);
        for (var i = 0; i < labels.Length; i++) Write(i == 0 ? "{" : ",", labels[i].Name, "=\"", Escape(labels[i].Value), "\"");
        Write(labels.Length > 0 ? "} " : " ");
        Write(value);
        Write("\n");
    }

    /// <summary>Sends what is written, if it is much.</summary>
    public ValueTask FlushFullAsync(CancellationToken cancellationToken) => _buffer.WrittenCount < Full ? default : FlushAsync(cancellationToken);

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_buffer.WrittenMemory, cancellationToken);
        _buffer.ResetWrittenCount();
    }

    private void Write(params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts) Encoding.UTF8.GetBytes(text, _buffer);
    }

    private void Write(double value)
    {
        const int Longest = 32;
        if (!value.TryFormat(_buffer.GetSpan(Longest), out var written)) throw new InvalidOperationException($"{value} is longer than {Longest} characters");

        _buffer.Advance(written);
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
