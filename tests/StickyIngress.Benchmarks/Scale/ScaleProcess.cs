using System.Diagnostics;
using System.Globalization;
using StickyIngress.Testing;

namespace StickyIngress.Benchmarks.Scale;

/// <summary>The real executable with that API server, and what can be seen of it from outside.</summary>
internal sealed class ScaleProcess : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("scale-");
    private readonly HttpClient _admin;
    private readonly Process _process;

    public ScaleProcess(string kubeconfig)
    {
        var file = Path.Combine(_folder.FullName, "kubeconfig");
        File.WriteAllText(file, kubeconfig);
        var (http, admin) = (FreePort.Next(), FreePort.Next());
        Client = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { BaseAddress = new($"http://127.0.0.1:{http}") };
        _admin = new() { BaseAddress = new($"http://127.0.0.1:{admin}") };
        _process = Process.Start(new ProcessStartInfo(IngressProcess.Executable, [
            "run", "--kubernetes", "--kubeconfig", file, "--http", $"127.0.0.1:{http}", "--https", "127.0.0.1:0", "--admin", $"127.0.0.1:{admin}",
            "--access-log", "off", "--log-level", "error", "--shutdown-grace", "0s"])
        {
            Environment = { ["POD_NAMESPACE"] = "sticky-ingress" },
        })!;
    }

    public HttpClient Client { get; }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>A line of the kernel's account of the process, in MB: VmRSS now, VmHWM at most so far.</summary>
    public double Memory(string line) => File.ReadLines($"/proc/{_process.Id}/status")
        .Where(it => it.StartsWith(line + ":", StringComparison.Ordinal))
        .Select(it => double.Parse(it.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024 / 1e6).Single();

    public async Task UntilReadyAsync()
    {
        while (!await IsReadyAsync()) await Task.Delay(5);
    }

    public async Task<bool> IsReadyAsync()
    {
        if (_process.HasExited) throw new InvalidOperationException($"sticky-ingress ended with {_process.ExitCode}");

        try
        {
            using var response = await _admin.GetAsync("/readyz");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    /// <summary>The value of a series without labels.</summary>
    public async Task<double> MetricAsync(string name)
    {
        var page = await _admin.GetStringAsync("/metrics");
        return page.Split('\n').Where(line => line.StartsWith(name + " ", StringComparison.Ordinal))
            .Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)).Single();
    }

    /// <summary>Of a histogram of one kind: how many values there were up to each bound, in order.</summary>
    public async Task<(double Bound, double Count)[]> HistogramAsync(string name, string kind)
    {
        var page = await _admin.GetStringAsync("/metrics");
        var prefix = $"{name}_bucket{{kind=\"{kind}\",le=\"";
        return [.. from line in page.Split('\n')
                   where line.StartsWith(prefix, StringComparison.Ordinal)
                   let bound = line[prefix.Length..line.IndexOf("\"}", StringComparison.Ordinal)]
                   select (bound == "+Inf" ? double.PositiveInfinity : Number(bound), Number(line[(line.LastIndexOf(' ') + 1)..]))];

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        Client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
