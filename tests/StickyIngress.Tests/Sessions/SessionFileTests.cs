using System.Globalization;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests.Sessions;

/// <summary>Sessions of learn over a restart of the process.</summary>
public sealed class SessionFileTests : IDisposable
{
    private const string Learn = "sticky: { learn: { create: [$arg_s], lookup: [$arg_s], maxSessions: 1000, header: true } }";
    private const string Saved = "stickyingress_session_file_last_success_timestamp_seconds";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sessions-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Keys => Path.Combine(_folder.FullName, "keys");

    private string File => Path.Combine(_folder.FullName, "sessions");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task Sessions_survive_the_end_of_the_process(string signal)
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses, Learn));
        await WriteKeysAsync("the key of the first year");
        string[] before;
        await using (var first = await ServeAsync(manifests))
        {
            before = await AskAsync(first);
            if (signal == "KILL") await SavedAsync(first);
            first.Signal(signal);
            await first.ExitAsync();
        }

        await using var second = await ServeAsync(manifests);
        var after = await AskAsync(second);

        Assert.Equal(before, after);
        Assert.Equal(before.Length, await second.MetricAsync(Requests("kept")));
    }

    [Fact]
    public async Task Sessions_survive_a_rotation_of_the_keys()
    {
        await using var servers = await Backends.StartAsync("a", "b", "c");
        using var manifests = With(Upstream("u", servers.Addresses, Learn));
        await WriteKeysAsync("the key of the first year");
        string[] before;
        await using (var first = await ServeAsync(manifests))
        {
            before = await AskAsync(first);
            await WriteKeysAsync("the key of the second year\nthe key of the first year");
            await first.LogsAsync("2 are accepted now");
            await WriteKeysAsync("the key of the second year");
            await first.LogsAsync("1 are accepted now");
            await first.StopAsync();
        }

        await using var second = await ServeAsync(manifests);

        Assert.Equal(before, await AskAsync(second));
    }

    [Theory]
    [InlineData("none of ours at all", "is not a session file")]
    [InlineData("STICKYSE", "is cut short")]
    public async Task A_file_that_cannot_be_used_costs_its_sessions_and_nothing_else(string content, string message)
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = With(Upstream("u", servers.Addresses, Learn));
        await WriteKeysAsync("the key of the first year");
        await System.IO.File.WriteAllTextAsync(File, content, Stop);

        await using var process = await ServeAsync(manifests);

        await process.LogsAsync(message);
        Assert.Equal("a", await process.GetAsync("/u?s=1"));
    }

    [Fact]
    public async Task Without_keys_a_session_file_is_refused()
    {
        var ended = await StickyProcess.RunAsync(["run", "--manifests", _folder.FullName, "--session-file", File]);

        Assert.Equal(1, ended.Code);
        Assert.Contains("--session-file needs --affinity-keys", ended.Error, StringComparison.Ordinal);
    }

    private static string Requests(string outcome) =>
        $"stickyingress_affinity_requests_total{{namespace=\"default\",upstream=\"u\",mode=\"learn\",outcome=\"{outcome}\"}}";

    /// <summary>The same sessions each time, in an order that round robin would not give.</summary>
    private static async Task<string[]> AskAsync(StickyProcess process)
    {
        var answers = new string[30];
        for (var i = 0; i < answers.Length; i++)
        {
            var session = i * 7 % answers.Length;
            answers[session] = await process.GetAsync($"/u?s=session-{session}");
            if (session % 4 == 0) await process.GetAsync($"/u?s=other-{Guid.NewGuid()}");
        }

        return answers;
    }

    private static async Task SavedAsync(StickyProcess process)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000d;
        await Eventually.HoldsAsync(async () => await process.MetricAsync(Saved) > now, $"saved after {now.ToString(CultureInfo.InvariantCulture)}", Stop);
    }

    private Task<StickyProcess> ServeAsync(Manifests manifests) => StickyProcess.ServeAsync(
        manifests, "--affinity-keys", Keys, "--session-file", File, "--session-file-interval", "1s");

    private Task WriteKeysAsync(string keys) => System.IO.File.WriteAllTextAsync(Keys, keys, Stop);
}
