using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using StickyIngress.Core;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Variables;

namespace StickyIngress.Proxy;

/// <summary>
/// Writes a line for each request: JSON, or a format with variables. Lines are gathered in memory and written by one task, so that a
/// request never waits for the disk or the terminal; where that cannot keep up, lines are dropped and counted.
/// </summary>
/// <param name="output">Where lines go; not closed here.</param>
/// <param name="format">Null: JSON.</param>
public sealed class AccessLog(Stream output, Template? format, Clock clock) : BackgroundService, IAccessLog
{
    private const int MaxWaitingBytes = 8 * 1024 * 1024;

    private static readonly Variable UpstreamAddr = new(VariableKind.UpstreamAddr);
    private static readonly Variable UpstreamStatus = new(VariableKind.UpstreamStatus);
    private static readonly Variable UpstreamResponseTime = new(VariableKind.UpstreamResponseTime);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private ArrayBufferWriter<byte> _filling = new(64 * 1024);
    private ArrayBufferWriter<byte> _writing = new(64 * 1024);
    private long _dropped;

    /// <summary>Lines that were not written because too many were waiting.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Write(ProxyRequest request)
    {
        bool wasEmpty;
        lock (_gate)
        {
            if (_filling.WrittenCount > MaxWaitingBytes)
            {
                _dropped++;
                return;
            }

            wasEmpty = _filling.WrittenCount == 0;
            if (format is null) WriteJson(request);
            else Encoding.Latin1.GetBytes(OneLine(format.Evaluate(request, absent: "-")), _filling);
            _filling.Write("\n"u8);
        }

        if (wasEmpty) Wake();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync(stoppingToken);
                await FlushAsync();
            }
        }
        catch (OperationCanceledException)
        {
            await FlushAsync();
        }
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // Already awake, or stopping: nothing is lost by not waking it twice.
        }
    }

    private async Task FlushAsync()
    {
        lock (_gate) (_filling, _writing) = (_writing, _filling);

        try
        {
            await output.WriteAsync(_writing.WrittenMemory);
            await output.FlushAsync();
        }
        catch (IOException)
        {
            // Nobody reads our output any more; serving goes on.
        }

        _writing.ResetWrittenCount();
    }

    private void WriteJson(ProxyRequest request)
    {
        using var json = new Utf8JsonWriter(_filling);
        var context = request.Context;
        json.WriteStartObject();
        json.WriteString("time"u8, DateTimeOffset.FromUnixTimeMilliseconds(clock.Milliseconds));
        json.WriteString("request_id"u8, request.Id);
        json.WriteString("remote_addr"u8, request.ClientAddress?.ToString() ?? "unix:");
        json.WriteString("method"u8, context.Request.Method);
        json.WriteString("scheme"u8, request.IsHttps ? "https" : "http");
        json.WriteString("host"u8, request.Host);
        json.WriteString("uri"u8, request.Target);
        json.WriteString("protocol"u8, context.Request.Protocol);
        json.WriteNumber("status"u8, context.Response.StatusCode);
        json.WriteNumber("body_bytes_sent"u8, request.ResponseBody?.Count ?? 0);
        json.WriteNumber("request_time"u8, request.ElapsedMilliseconds / 1000m);
        if (context.Request.Headers.UserAgent is [{ } agent, ..]) json.WriteString("user_agent"u8, agent);
        if (request.Refusal is { } refusal) json.WriteString("error"u8, refusal);
        if (request.Upstream is not null) WriteUpstream(json, request);
        json.WriteEndObject();
    }

    private static void WriteUpstream(Utf8JsonWriter json, ProxyRequest request)
    {
        json.WriteString("upstream"u8, request.Upstream!.Name.ToString());
        if (request.LastTry is { } last)
        {
            json.WriteString("upstream_addr"u8, request.Evaluate(UpstreamAddr));
            json.WriteString("upstream_status"u8, request.Evaluate(UpstreamStatus));
            json.WriteString("upstream_response_time"u8, request.Evaluate(UpstreamResponseTime));
            if (last.Peer is { } peer) json.WriteString("peer"u8, peer.Label);
        }

        if (request.Selection is not { Outcome: not AffinityOutcome.None } selection) return;

        json.WriteString("sticky_outcome"u8, AffinityWords.Of(selection.Outcome));
        if (selection.Reason != BreakReason.None) json.WriteString("sticky_reason"u8, AffinityWords.Of(selection.Reason));
    }

    /// <summary>A value must not begin a line of its own.</summary>
    private static string OneLine(string line) => line.AsSpan().IndexOfAny('\r', '\n') < 0 ? line : line.ReplaceLineEndings(" ");
}
