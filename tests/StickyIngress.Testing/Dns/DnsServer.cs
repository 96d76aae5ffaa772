using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace StickyIngress.Testing.Dns;

/// <summary>
/// A DNS server on loopback, by UDP and TCP on one port. It knows the records it is given, follows no alias for its clients, and misbehaves
/// on demand.
/// </summary>
public sealed class DnsServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string Name, int Type), DnsRecord[]> _records = new();
    private readonly ConcurrentDictionary<string, int> _codes = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _silent = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentQueue<DnsAsked> _asked = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _udp;
    private readonly TcpListener _tcp;
    private readonly Task _serving;
    private TaskCompletionSource _open = new();
    private int _waiting;

    private DnsServer(Socket udp, TcpListener tcp)
    {
        (_udp, _tcp) = (udp, tcp);
        _open.SetResult();
        _serving = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    public IPEndPoint EndPoint => (IPEndPoint)_udp.LocalEndPoint!;

    /// <summary>Every question so far, in order.</summary>
    public IReadOnlyList<DnsAsked> Asked => [.. _asked];

    /// <summary>Questions that wait for <see cref="Release"/>.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Answers by UDP hold no records and say that they are truncated.</summary>
    public bool Truncates { get; set; }

    /// <summary>Nobody gets an answer.</summary>
    public bool Silent { get; set; }

    public static DnsServer Start()
    {
        while (true)
        {
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var tcp = new TcpListener((IPEndPoint)udp.LocalEndPoint!);
            try
            {
                tcp.Start();
                return new(udp, tcp);
            }
            catch (SocketException)
            {
                // Somebody has that port for TCP; another one then.
                udp.Dispose();
                tcp.Dispose();
            }
        }
    }

    /// <summary>The name has these records of that type, and no others of it. None: the name is there without any.</summary>
    public void Set(string name, int type, params DnsRecord[] records)
    {
        _codes.TryRemove(name, out _);
        _records[(name.ToLowerInvariant(), type)] = records;
    }

    public void SetA(string name, int ttl, params string[] addresses) =>
        Set(name, DnsRecord.A, [.. addresses.Select(address => DnsRecord.Address(name, address, ttl))]);

    public void SetAaaa(string name, int ttl, params string[] addresses) =>
        Set(name, DnsRecord.Aaaa, [.. addresses.Select(address => DnsRecord.Address(name, address, ttl))]);

    public void SetSrv(string name, int ttl, params (int Priority, int Weight, int Port, string Target)[] records) =>
        Set(name, DnsRecord.Srv, [.. records.Select(record => DnsRecord.Service(name, record.Priority, record.Weight, record.Port, record.Target, ttl))]);

    /// <summary>There is no such name.</summary>
    public void Remove(string name)
    {
        foreach (var key in _records.Keys.Where(key => string.Equals(key.Name, name, StringComparison.OrdinalIgnoreCase))) _records.TryRemove(key, out _);
    }

    /// <summary>Questions for the name are answered with this code: 1 FORMERR, 2 SERVFAIL, 5 REFUSED.</summary>
    public void Fail(string name, int code) => _codes[name] = code;

    /// <summary>Questions for the name get no answer.</summary>
    public void Ignore(string name) => _silent[name] = true;

    /// <summary>From now on questions wait.</summary>
    public void Hold() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Questions that waited are answered, and later ones at once.</summary>
    public void Release() => _open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        while (true)
        {
            var received = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
            _ = AnswerUdpAsync(buffer[..received.ReceivedBytes], received.RemoteEndPoint);
        }
    }

    private async Task AnswerUdpAsync(byte[] question, EndPoint client)
    {
        if (await AnswerAsync(DnsMessage.Read(question), tcp: false) is { } answer) await _udp.SendToAsync(answer, SocketFlags.None, client, _stop.Token);
    }

    private async Task ServeTcpAsync()
    {
        while (true) _ = AnswerTcpAsync(await _tcp.AcceptTcpClientAsync(_stop.Token));
    }

    private async Task AnswerTcpAsync(TcpClient client)
    {
        using var _ = client;
        var stream = client.GetStream();
        var length = new byte[2];
        while (await stream.ReadAtLeastAsync(length, 2, throwOnEndOfStream: false, _stop.Token) == 2)
        {
            var question = new byte[(length[0] << 8) | length[1]];
            await stream.ReadExactlyAsync(question, _stop.Token);
            if (await AnswerAsync(DnsMessage.Read(question), tcp: true) is not { } answer) continue;

            byte[] framed = [(byte)(answer.Length >> 8), (byte)answer.Length, .. answer];
            await stream.WriteAsync(framed, _stop.Token);
        }
    }

    /// <summary>Null: there is none.</summary>
    private async Task<byte[]?> AnswerAsync(DnsMessage question, bool tcp)
    {
        _asked.Enqueue(new(question.Name, question.Type, tcp));
        Interlocked.Increment(ref _waiting);
        await _open.Task.WaitAsync(_stop.Token);
        Interlocked.Decrement(ref _waiting);

        if (Silent || _silent.ContainsKey(question.Name)) return null;
        if (_codes.TryGetValue(question.Name, out var code)) return question.Answer(code, []);

        var name = question.Name.ToLowerInvariant();
        var alias = _records.GetValueOrDefault((name, DnsRecord.CName), []);
        var records = alias.Length > 0 ? alias : _records.GetValueOrDefault((name, question.Type), []);
        if (records.Length == 0) return question.Answer(_records.Keys.Any(key => key.Name == name) ? 0 : 3, []);

        return Truncates && !tcp ? question.Answer(0, [], truncated: true) : question.Answer(0, records);
    }
}

/// <param name="Name">Without a dot at the end.</param>
/// <param name="Type">As in <see cref="DnsRecord"/>.</param>
public sealed record DnsAsked(string Name, int Type, bool Tcp);
