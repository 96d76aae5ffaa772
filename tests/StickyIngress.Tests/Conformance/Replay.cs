using System.Collections.Concurrent;
using System.Text.Json;

namespace StickyIngress.Tests.Conformance;

/// <summary>
/// One recording against the running product: an upstream for each of its cases, all in one process; cases side by side, the requests of a
/// case one after another; each answer compared with the recorded one.
/// </summary>
internal sealed class Replay : IAsyncDisposable
{
    private readonly string _file;
    private readonly Manifests _manifests;
    private readonly ConcurrentQueue<string> _different = new();
    private int _compared;

    private Replay(string file, Manifests manifests, StickyProcess process) => (_file, _manifests, Process) = (file, manifests, process);

    public StickyProcess Process { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<Replay> StartAsync(string file, IEnumerable<string> upstreams, params string[] more)
    {
        var manifests = Manifests.With([.. upstreams]);
        return new(file, manifests, await StickyProcess.ServeAsync(manifests, more.Contains("--access-log") ? more : ["--access-log", "off", .. more]));
    }

    /// <summary>An upstream below /NAME whose responses tell which servers were tried and what they answered.</summary>
    /// <param name="servers">As <see cref="Server"/> gives them.</param>
    public static string Upstream(string name, IEnumerable<string> servers, string more = "", string nextUpstream = "error timeout", string readTimeout = "30s") => Manifests.Upstream(
        name, servers, $$"""
        proxy:
          connectTimeout: 5s
          readTimeout: {{readTimeout}}
          nextUpstream: { on: [{{string.Join(", ", nextUpstream.Split(' ').Select(Condition))}}] }
          responseHeaders:
          - { name: X-Tried, value: "$upstream_addr", always: true }
          - { name: X-Statuses, value: "$upstream_status", always: true }
        {{more}}
        """);

    /// <summary>A server with nginx's parameters.</summary>
    public static string Server(string address, string parameters, int? weight = null)
    {
        var fields = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(parameter => parameter.Split('=') switch
        {
            ["max_fails", var number] => $"maxFails: {number}",
            ["fail_timeout", var time] => $"failTimeout: {time}",
            ["weight", var number] => $"weight: {number}",
            [var flag] => $"{flag}: true",
            _ => throw new ArgumentException(parameter),
        });
        return string.Join(", ", fields.Prepend(weight is null ? address : $"{address}, weight: {weight}"));
    }

    /// <summary>The method as it stands in a spec; the key of a hash is the header X-Key unless the recording names another.</summary>
    public static string Balancing(string method) => method.Split(' ') switch
    {
        ["round", "robin"] => "",
        ["least_conn"] => "balancing: { method: LeastConn }",
        ["ip_hash"] => "balancing: { method: IPHash }",
        ["hash", var key] => $"balancing: {{ method: Hash, hash: {{ key: \"{key}\" }} }}",
        ["hash", var key, "consistent"] => $"balancing: {{ method: Hash, hash: {{ key: \"{key}\", consistent: true }} }}",
        _ => throw new ArgumentException(method),
    };

    public async Task<Answer> AskAsync(string target, string method = "GET", params (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), target);
        foreach (var (name, value) in headers)
        {
            if (value is not null) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        if (method != "GET") request.Content = new StringContent("x");
        using var response = await Process.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        return new(
            (int)response.StatusCode, Header(response, "X-Tried"), Header(response, "X-Statuses"),
            response.Headers.TryGetValues("Set-Cookie", out var cookies) ? [.. cookies] : [], await BodyAsync(response));
    }

    public void Compare(string what, string recorded, string answered)
    {
        Interlocked.Increment(ref _compared);
        if (recorded != answered) _different.Enqueue($"{what}: nginx: {recorded}; here: {answered}");
    }

    /// <summary>Fails where an answer differs or one of the recorded was not compared, and else says how many there were.</summary>
    public void End(int recorded, string note = "")
    {
        Assert.Empty(_different.Take(20));
        Assert.Equal(recorded, _compared);
        Summary.Write(_file, recorded, note);
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _manifests.Dispose();
    }

    private static string Condition(string word) => word == "off" ? "\"Off\"" : word.StartsWith("http_", StringComparison.Ordinal)
        ? word.ToUpperInvariant().Replace("_", "")
        : string.Concat(word.Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";

    /// <summary>Null where the body broke off.</summary>
    private static async Task<string?> BodyAsync(HttpResponseMessage response)
    {
        try
        {
            return await response.Content.ReadAsStringAsync(Stop);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}

/// <summary>What came back, and which servers were tried with what result.</summary>
internal sealed record Answer(int Status, string Tried, string Statuses, IReadOnlyList<string> Cookies, string? Body)
{
    /// <summary>
    /// Numbers of the servers that were tried, or the upstream's name where none could be. The last one must also be the server that answered.
    /// </summary>
    public string Servers
    {
        get
        {
            var numbers = Tried.Split(", ").Select(Number).ToArray();
            return Status == 200 && Body != $"server {numbers[^1]}" ? $"{string.Join(' ', numbers)} but {Body} answered" : string.Join(' ', numbers);
        }
    }

    private static string Number(string address) => address.StartsWith("127.0.0.1:2", StringComparison.Ordinal)
        ? $"{(int.Parse(address["127.0.0.1:".Length..]) % 100) - 1}"
        : address;
}

/// <summary>The line of a recording that tests/conformance.sh collects.</summary>
internal static class Summary
{
    public static void Write(string file, int answers, string note = "") =>
        TestContext.Current.TestOutputHelper!.WriteLine($"conformance: {file,-22} {answers,5} of {answers} answers as recorded{(note.Length > 0 ? "; " + note : "")}");
}

internal static class Recorded
{
    public static int[] Numbers(this JsonElement element, string property) =>
        element.TryGetProperty(property, out var numbers) ? numbers.Deserialize<int[]>()! : [];

    public static string Text(this JsonElement element, string property, string otherwise = "") =>
        element.TryGetProperty(property, out var text) ? text.GetString()! : otherwise;

    public static bool Is(this JsonElement element, string property) => element.TryGetProperty(property, out var value) && value.GetBoolean();

    public static JsonElement[] Items(this JsonElement element, string property) => [.. element.GetProperty(property).EnumerateArray()];
}
