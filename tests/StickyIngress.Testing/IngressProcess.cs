using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace StickyIngress.Testing;

/// <summary>The built executable as a process of its own, what it wrote, and clients to its ports.</summary>
public class IngressProcess : IAsyncDisposable
{
    private readonly CancellationToken _stop;
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _error = new();

    /// <summary>Starts it on these ports, of loopback unless the arguments say otherwise; stopping takes no grace likewise.</summary>
    /// <param name="stop">Ends every wait for it.</param>
    public IngressProcess(
        int http, int admin, IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment, CancellationToken stop)
    {
        _stop = stop;
        Arguments = arguments;
        if (!arguments.Contains("--http")) Arguments = [.. Arguments, "--http", $"127.0.0.1:{http}", "--admin", $"127.0.0.1:{admin}"];
        if (!arguments.Contains("--shutdown-grace")) Arguments = [.. Arguments, "--shutdown-grace", "0s"];
        Http = new(IPAddress.Loopback, http);
        Client = NewClient(http);
        Admin = NewClient(admin);
        _process = Start(Arguments, environment);
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_error, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What STICKY_INGRESS names, else what was built in the same configuration as what runs now.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("STICKY_INGRESS") is { Length: > 0 } named
        ? named
        : Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "../../StickyIngress",
            Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "sticky-ingress"));

    public IReadOnlyList<string> Arguments { get; }

    public IPEndPoint Http { get; }

    /// <summary>To the proxy; keeps no cookies and follows nothing.</summary>
    public HttpClient Client { get; }

    public HttpClient Admin { get; }

    public IReadOnlyList<string> Output => [.. _output];

    public IReadOnlyList<string> Error => [.. _error];

    public bool HasExited => _process.HasExited;

    /// <summary>Runs a command that ends by itself.</summary>
    public static async Task<Ended> RunAsync(
        IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment, CancellationToken stop)
    {
        using var process = Start(arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync(stop);
        var error = process.StandardError.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Waits until a snapshot has been published.</summary>
    public Task ReadyAsync() => Eventually.HoldsAsync(AnswersReadyAsync, $"sticky-ingress {string.Join(' ', Arguments)} is ready", _stop);

    /// <summary>Sends a signal by its name, such as TERM.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString()]);
        kill.WaitForExit();
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(_stop);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM, then the exit code.</summary>
    public Task<int> StopAsync()
    {
        Signal("TERM");
        return ExitAsync();
    }

    public Task<string> GetAsync(string target) => Client.GetStringAsync(target, _stop);

    public async Task<JsonElement> ApiAsync(string path)
    {
        using var document = JsonDocument.Parse(await Admin.GetStringAsync("/api/v1/" + path, _stop));
        return document.RootElement.Clone();
    }

    public async Task<string[]> MetricsAsync() => (await Admin.GetStringAsync("/metrics", _stop)).Split('\n');

    /// <summary>The value of the one series with that name and labels as they stand in the page; null where there is none.</summary>
    public async Task<double?> MetricAsync(string series) =>
        (await MetricsAsync()).Where(line => line.StartsWith(series + " ", StringComparison.Ordinal))
            .Select(line => (double?)double.Parse(line[(line.LastIndexOf(' ') + 1)..])).SingleOrDefault();

    public Task LogsAsync(string words) =>
        Eventually.HoldsAsync(() => Error.Any(line => line.Contains(words, StringComparison.Ordinal)), $"the log says {words}", _stop);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Client.Dispose();
        Admin.Dispose();
        GC.SuppressFinalize(this);
    }

    private static Process Start(IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment)
    {
        // Shells start what runs in the background deaf to SIGINT, and children inherit it.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", Executable, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (DictionaryEntry inherited in Environment.GetEnvironmentVariables())
        {
            if (((string)inherited.Key).StartsWith("STICKYINGRESS_", StringComparison.Ordinal)) start.Environment.Remove((string)inherited.Key);
        }

        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static HttpClient NewClient(int port) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        RequestHeaderEncodingSelector = static (_, _) => System.Text.Encoding.UTF8,
    })
    { BaseAddress = new($"http://127.0.0.1:{port}") };

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }

    private async Task<bool> AnswersReadyAsync()
    {
        if (_process.HasExited) throw new InvalidOperationException($"exit code {_process.ExitCode}: {string.Join('\n', _error)}");
        try
        {
            using var response = await Admin.GetAsync("/readyz", _stop);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }
}

/// <summary>What a command that has ended left behind.</summary>
public sealed record Ended(int Code, string Output, string Error);
