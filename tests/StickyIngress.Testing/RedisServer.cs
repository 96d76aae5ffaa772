using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace StickyIngress.Testing;

/// <summary>A real redis-server, or a Sentinel, as a process of its own. It keeps nothing that outlives it, and can be killed, frozen and started again.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly string[] _arguments;
    private Process _process;

    private RedisServer(int port, string folder, string[] arguments)
    {
        (Port, _folder, _arguments) = (port, folder, arguments);
        _process = Run();
    }

    /// <summary>Whether there is one on this machine; tests/tools.sh brings it.</summary>
    public static bool IsInstalled { get; } = Array.Exists(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), folder => File.Exists(Path.Combine(folder, "redis-server")));

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    /// <param name="options">As on its command line: <c>--maxmemory</c>, <c>1mb</c>.</param>
    public static Task<RedisServer> StartAsync(params string[] options) =>
        StartAsync(FreePort.Next(), NewFolder(), ["--save", "", "--appendonly", "no", .. options]);

    /// <summary>One of a Cluster, which <see cref="ClusterAsync"/> joins.</summary>
    public static Task<RedisServer> StartNodeAsync(params string[] options) =>
        StartAsync(["--cluster-enabled", "yes", "--cluster-port", FreePort.Next().ToString(), "--cluster-node-timeout", "2000", .. options]);

    /// <summary>Makes a Cluster of nodes, each with its part of the slots.</summary>
    public static async Task ClusterAsync(params RedisServer[] nodes)
    {
        const int Slots = 16_384;
        for (var i = 0; i < nodes.Length; i++)
        {
            await nodes[i].SayAsync($"CLUSTER ADDSLOTSRANGE {Slots * i / nodes.Length} {(Slots * (i + 1) / nodes.Length) - 1}");
            await nodes[i].MeetAsync(nodes[0]);
        }

        foreach (var node in nodes)
        {
            await Eventually.HoldsAsync(
                async () => (await node.LinesAsync("CLUSTER INFO")).Contains("cluster_state:ok")
                    && (await node.LinesAsync("CLUSTER INFO")).Contains($"cluster_known_nodes:{nodes.Length}"), "the cluster is whole");
        }
    }

    /// <summary>Joins the Cluster of a node as its replica, and is a copy of it when this ends.</summary>
    public async Task JoinAsync(RedisServer primary)
    {
        var id = await primary.IdAsync();
        await MeetAsync(primary);
        await Eventually.HoldsAsync(async () => await SayAsync("CLUSTER REPLICATE " + id) == "+OK", "the node knows its primary");
        await CopiesAsync();
    }

    /// <summary>Gives slots with all that is in them to another node of its Cluster, as redis-cli does it, while both serve.</summary>
    public async Task ReshardAsync(RedisServer to, int slots)
    {
        using var reshard = Process.Start(new ProcessStartInfo("redis-cli",
            ["--cluster", "reshard", Address, "--cluster-from", await IdAsync(), "--cluster-to", await to.IdAsync(), "--cluster-slots", $"{slots}", "--cluster-yes"])
        { RedirectStandardOutput = true, UseShellExecute = false })!;
        var said = await reshard.StandardOutput.ReadToEndAsync();
        await reshard.WaitForExitAsync();
        if (reshard.ExitCode != 0) throw new InvalidOperationException(said);
    }

    /// <summary>A Sentinel that watches a primary with its replica; it replaces the primary only when told, <c>SENTINEL FAILOVER</c>.</summary>
    public static async Task<RedisServer> StartSentinelAsync(string service, RedisServer primary)
    {
        var folder = NewFolder();
        var file = Path.Combine(folder, "sentinel.conf");
        await File.WriteAllTextAsync(file, $"sentinel monitor {service} 127.0.0.1 {primary.Port} 1\nsentinel down-after-milliseconds {service} 600000\n");
        var sentinel = await StartAsync(FreePort.Next(), folder, [file, "--sentinel"]);
        await Eventually.HoldsAsync(
            async () => (await sentinel.LinesAsync($"SENTINEL REPLICAS {service}")).Contains("master-link-status"), "the Sentinel knows the replica");
        return sentinel;
    }

    private static async Task<RedisServer> StartAsync(int port, string folder, string[] arguments)
    {
        if (!IsInstalled) throw new InvalidOperationException("redis-server is missing (Debian package redis-server)");

        var server = new RedisServer(port, folder, arguments);
        await server.AnswersAsync();
        return server;
    }

    /// <summary>Follows another server from now on, and is a copy of it when this ends.</summary>
    public async Task FollowAsync(RedisServer primary)
    {
        await SayAsync($"REPLICAOF 127.0.0.1 {primary.Port}");
        await CopiesAsync();
    }

    /// <summary>Sends one command as people type it and gives the first line of the answer.</summary>
    public async Task<string> SayAsync(string command, CancellationToken cancellationToken = default) =>
        (await LinesAsync(command, cancellationToken)).FirstOrDefault("");

    /// <summary>The lines of a command's whole answer.</summary>
    public async Task<IReadOnlyList<string>> LinesAsync(string command, CancellationToken cancellationToken = default)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"), cancellationToken);
        using var reader = new StreamReader(stream);
        var lines = new List<string>();
        await ReadAnswerAsync(reader, lines, cancellationToken);
        return lines;
    }

    /// <summary>A number of INFO, such as used_memory_dataset.</summary>
    public async Task<long> InfoAsync(string name)
    {
        var line = (await LinesAsync("INFO everything")).First(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return long.Parse(line[(name.Length + 1)..]);
    }

    /// <summary>SIGSTOP: it keeps its connections and answers nothing.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Starts it on its port once more, empty.</summary>
    public async Task RestartAsync()
    {
        _process.Dispose();
        _process = Run();
        await AnswersAsync();
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Texts and lists come in full, without what says how long they are.</summary>
    private static async Task ReadAnswerAsync(StreamReader reader, List<string> lines, CancellationToken cancellationToken)
    {
        var head = await reader.ReadLineAsync(cancellationToken) ?? throw new IOException("redis-server has closed the connection");
        switch (head)
        {
            case ['$', not '-', ..]:
                var text = new char[int.Parse(head.AsSpan(1)) + "\r\n".Length];
                await reader.ReadBlockAsync(text, cancellationToken);
                lines.AddRange(new string(text).TrimEnd().Split("\r\n"));
                break;
            case ['*', not '-', ..]:
                for (var i = int.Parse(head.AsSpan(1)); i > 0; i--) await ReadAnswerAsync(reader, lines, cancellationToken);
                break;
            default:
                lines.Add(head);
                break;
        }
    }

    private static string NewFolder() => Directory.CreateTempSubdirectory("redis-").FullName;

    private Task CopiesAsync() =>
        Eventually.HoldsAsync(async () => (await LinesAsync("INFO replication")).Contains("master_link_status:up"), "the copy follows");

    private Task<string> MeetAsync(RedisServer node) => SayAsync($"CLUSTER MEET 127.0.0.1 {node.Port} {node.Option("--cluster-port")}");

    /// <summary>What its Cluster calls it.</summary>
    private async Task<string> IdAsync() => (await LinesAsync("CLUSTER MYID"))[0];

    private string Option(string name) => _arguments[Array.IndexOf(_arguments, name) + 1];

    private Process Run() => Process.Start(new ProcessStartInfo("redis-server", [.. _arguments, "--port", Port.ToString(), "--bind", "127.0.0.1", "--daemonize", "no"])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
        WorkingDirectory = _folder,
    })!;

    private Task AnswersAsync() => Eventually.HoldsAsync(async () =>
    {
        if (_process.HasExited) throw new InvalidOperationException("redis-server has ended: " + await _process.StandardOutput.ReadToEndAsync());
        try
        {
            return await SayAsync("PING") is ['+' or '-', ..] answer && !answer.StartsWith("-LOADING", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }, "redis-server answers");

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString()]);
        kill.WaitForExit();
    }
}
