using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace StickyIngress.Testing;

/// <summary>A real redis-server as a process of its own, which keeps nothing on disk. It can be killed, frozen and started again.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly string[] _options;
    private Process _process;

    private RedisServer(int port, string[] options)
    {
        (Port, _options) = (port, options);
        _process = Run();
    }

    /// <summary>Whether there is one on this machine; tests/tools.sh brings it.</summary>
    public static bool IsInstalled { get; } = Array.Exists(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), folder => File.Exists(Path.Combine(folder, "redis-server")));

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    /// <param name="options">As on its command line: <c>--maxmemory</c>, <c>1mb</c>.</param>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        if (!IsInstalled) throw new InvalidOperationException("redis-server is missing (Debian package redis-server)");

        var server = new RedisServer(FreePort.Next(), options);
        await server.AnswersAsync();
        return server;
    }

    /// <summary>Sends one command as people type it and gives the first line of the answer.</summary>
    public async Task<string> SayAsync(string command, CancellationToken cancellationToken = default)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"), cancellationToken);
        using var reader = new StreamReader(stream);
        var line = await reader.ReadLineAsync(cancellationToken) ?? "";
        return line.StartsWith('$') && line != "$-1" ? await reader.ReadLineAsync(cancellationToken) ?? "" : line;
    }

    /// <summary>A line of INFO, such as used_memory_dataset.</summary>
    public async Task<long> InfoAsync(string name)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync("INFO everything\r\n"u8.ToArray());
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(name + ":", StringComparison.Ordinal)) return long.Parse(line[(name.Length + 1)..]);
        }

        throw new InvalidOperationException($"INFO has no {name}");
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
        return ValueTask.CompletedTask;
    }

    private Process Run() => Process.Start(new ProcessStartInfo(
        "redis-server", ["--port", Port.ToString(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", .. _options])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
        WorkingDirectory = Path.GetTempPath(),
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
