using System.Collections;
using System.CommandLine;
using System.Net;
using StickyIngress.Settings;
using StickyIngress.Testing;
using static StickyIngress.Tests.Manifests;

namespace StickyIngress.Tests;

/// <summary>Every setting as option, environment variable and key of the config file.</summary>
public sealed class SettingsTests
{
    /// <summary>A value for each setting, how it shows in what was read, and a value that is refused with what is then said.</summary>
    private static readonly Dictionary<string, (string Good, Func<ServeSettings, object?> Read, object Expected, string? Bad, string Sentence)> Rows = new()
    {
        [SettingList.Manifests] = ("/tmp", settings => string.Join(' ', settings.Manifests), "/tmp", null, ""),
        [SettingList.Kubernetes] = ("true", settings => settings.Kubernetes, true, "maybe", "it must be true or false"),
        [SettingList.Http] = ("127.0.0.1:81", settings => settings.Http.ToString(), "127.0.0.1:81", "80", "it must be ADDR:PORT"),
        [SettingList.Https] = ("[::1]:444", settings => settings.Https.ToString(), "[::1]:444", "nobody:443", "it must be ADDR:PORT"),
        [SettingList.H2c] = (":82", settings => settings.H2c?.ToString(), "0.0.0.0:82", "127.0.0.1:99999", "it must be ADDR:PORT"),
        [SettingList.Admin] = ("*:83", settings => settings.Admin.ToString(), "0.0.0.0:83", "127.0.0.1", "it must be ADDR:PORT"),
        [SettingList.TrustedProxies] =
            ("10.0.0.0/8", settings => string.Join(' ', settings.TrustedProxies), "10.0.0.0/8", "10.0.0.0/33", "it must be a network such as 10.0.0.0/8, or an address"),
        [SettingList.AdminChangesFrom] =
            ("10.0.0.0/8", settings => string.Join(' ', settings.AdminChangesFrom), "10.0.0.0/8", "anybody", "it must be a network such as 10.0.0.0/8, or an address"),
        [SettingList.IngressClass] = ("mine", settings => settings.IngressClass, "mine", "a b", "it must be a DNS name"),
        [SettingList.Namespace] = ("web", settings => string.Join(' ', settings.Namespaces), "web", "a.b", "it must be a namespace's name"),
        [SettingList.AccessLog] = ("$status", settings => settings.AccessLog, "$status", "$nosuch", "$nosuch"),
        [SettingList.LogLevel] =
            ("Debug", settings => settings.LogLevel, Microsoft.Extensions.Logging.LogLevel.Debug, "loud", "it must be trace, debug, information, warning, error or critical"),
        [SettingList.AffinityKeys] = ("/tmp/keys", settings => settings.AffinityKeys, "/tmp/keys", "/nowhere/keys", "cannot read /nowhere/keys"),
        [SettingList.ShutdownGrace] = ("1m30s", settings => settings.ShutdownGrace, TimeSpan.FromSeconds(90), "soon", "it must be a time such as 500ms, 30s or 1m"),
        [SettingList.Kubeconfig] = ("/tmp/kubeconfig", settings => settings.Kubeconfig, "/tmp/kubeconfig", null, ""),
        [SettingList.PublishService] = ("web/lb", settings => settings.PublishService, "web/lb", "lb", "it must be NAMESPACE/NAME"),
        [SettingList.LeaderElection] = ("false", settings => settings.LeaderElection, false, "maybe", "it must be true or false"),
        [SettingList.CacheFolder] = ("/tmp", settings => settings.CacheFolder, "/tmp", null, ""),
        [SettingList.Resolver] = ("10.0.0.1", settings => settings.Resolvers.Single().ToString(), "10.0.0.1:53", "dns", "it must be an IP address"),
        [SettingList.SessionFile] = ("/tmp/sessions", settings => settings.SessionFile, "/tmp/sessions", "/tmp/sessions", "--session-file needs --affinity-keys"),
        [SettingList.SessionFileInterval] = ("5s", settings => settings.SessionFileInterval, TimeSpan.FromSeconds(5), "often", "it must be a time such as 500ms, 30s or 1m"),
        [SettingList.State] = ("/tmp/state", settings => settings.State, "/tmp/state", "/nowhere/state", "it must be a file in a directory that exists"),
        [SettingList.SyncStore] = ("redis://store", settings => settings.SyncStore, "redis://store", "http://store", "its scheme is http"),
        [SettingList.SyncPasswordFile] = ("/tmp/password", settings => settings.SyncPasswordFile, "/tmp/password", "/tmp/password", "needs --sync-store"),
        [SettingList.SyncCa] = ("/tmp/ca", settings => settings.SyncCa, "/tmp/ca", "/tmp/ca", "needs --sync-store"),
        [SettingList.SyncPrefix] = ("shop:", settings => settings.SyncPrefix, "shop:", "a b", "it must be 1 to 32 of the characters"),
        [SettingList.SyncPeers] = ("true", settings => settings.SyncPeers, true, "true", "--sync-peers needs --sync-store"),
        [SettingList.SyncReadBudget] = ("5ms", settings => settings.SyncReadBudget, TimeSpan.FromMilliseconds(5), "1m", "it must be a time from 1ms to 1s"),
        [SettingList.SyncMaxReads] = ("9", settings => settings.SyncMaxReads, 9, "0", "it must be a whole number from 1 to 100000"),
        [SettingList.DrainTimeout] = ("250ms", settings => settings.DrainTimeout, TimeSpan.FromMilliseconds(250), "-1s", "it must be a time such as 500ms, 30s or 1m"),
    };

    public static TheoryData<string> Names => [.. SettingList.All.Select(setting => setting.Name).Where(name => name != SettingList.Config)];

    public static TheoryData<string> Refusable => [.. Rows.Where(row => row.Value.Bad is not null).Select(row => row.Key)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_an_option_a_variable_and_a_key(string name)
    {
        var (good, read, expected, _, _) = Rows[name];
        var setting = Find(name);
        using var manifests = With();
        File.WriteAllText(manifests.PathOf("config.yaml"), setting.Many ? $"{name}: [\"{good}\"]\n" : $"{name}: \"{good}\"\n");
        string[] option = setting.Flag ? ["--" + name] : ["--" + name, good];

        ServeSettings?[] three = [Read(option), Read([], (setting.EnvironmentVariable, good)), Read(["--config", manifests.PathOf("config.yaml")])];

        Assert.All(three, settings => Assert.Equal(expected, read(settings!)));
    }

    [Fact]
    public void The_option_beats_the_variable_and_the_variable_beats_the_file()
    {
        using var manifests = With();
        File.WriteAllText(manifests.PathOf("config.yaml"), "ingress-class: file\nlog-level: error\n");
        (string, string)[] environment = [("STICKYINGRESS_CONFIG", manifests.PathOf("config.yaml")), ("STICKYINGRESS_INGRESS_CLASS", "variable")];

        Assert.Equal("option", Read(["--ingress-class", "option"], environment)!.IngressClass);
        Assert.Equal("variable", Read([], environment)!.IngressClass);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Error, Read([], environment)!.LogLevel);
    }

    [Theory]
    [MemberData(nameof(Refusable))]
    public async Task A_bad_value_is_named_with_what_is_allowed(string name)
    {
        var (_, _, _, bad, sentence) = Rows[name];
        var setting = Find(name);
        using var manifests = With();
        string[] serve = ["run", "--manifests", manifests.Folder];

        var ended = await StickyProcess.RunAsync(serve, (setting.EnvironmentVariable, bad!));

        Assert.Equal((1, ""), (ended.Code, ended.Output));
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
        Assert.Contains(name, ended.Error.Replace(setting.EnvironmentVariable, name, StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http: 127.0.0.1:1\nhttp: 127.0.0.1:2\n", "line 2: Duplicate key")]
    [InlineData("http: [\n", "line 2: ")]
    [InlineData("- http\n", "must be one map from names of settings to their values")]
    [InlineData("hello\n", "must be one map from names of settings to their values")]
    [InlineData("http:\n", "http is ; it must be a value")]
    [InlineData("admin: { port: 1 }\n", "admin is { { port, 1 } }; it must be a value")]
    [InlineData("namespace: [a, [b]]\n", "it must be a value or a list of values")]
    [InlineData("http: [127.0.0.1:1, 127.0.0.1:2]\n", "http is given 2 times; it takes one value")]
    [InlineData("config: other.yaml\n", "config is not a setting of a file")]
    public async Task A_config_file_that_is_wrong_says_where(string content, string sentence)
    {
        using var manifests = With();
        File.WriteAllText(manifests.PathOf("config.yaml"), content);

        var ended = await StickyProcess.RunAsync(["run", "--config", manifests.PathOf("config.yaml"), "--manifests", manifests.Folder]);

        Assert.Equal((1, ""), (ended.Code, ended.Output));
        Assert.StartsWith(manifests.PathOf("config.yaml"), ended.Error, StringComparison.Ordinal);
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Two_colons_serve_both_families()
    {
        await using var servers = await Backends.StartAsync("a");
        using var manifests = Manifests.With(Manifests.Upstream("shop", servers.Addresses));
        var (http, admin) = (FreePort.Next(), FreePort.Next());
        await using var process = await StickyProcess.ServeAsync(
            http, admin, ["run", "--manifests", manifests.Folder, "--http", $"[::]:{http}", "--admin", $"[::]:{admin}"]);

        Assert.Equal("a", await process.GetAsync("/shop"));
        Assert.Equal("a", await process.GetAsync($"http://[::1]:{http}/shop"));
    }

    [Fact]
    public async Task Every_mistake_is_told_at_once()
    {
        using var manifests = With();
        File.WriteAllText(manifests.PathOf("config.yaml"), "bogus: 1\nhttp: here\n");

        var ended = await StickyProcess.RunAsync(["run", "--config", manifests.PathOf("config.yaml"), "--log-level", "loud"]);

        Assert.Equal(1, ended.Code);
        var lines = ended.Error.TrimEnd().Split('\n').Order().ToArray();
        Assert.Equal(3, lines.Length);
        Assert.Contains(lines, line => line.StartsWith("--log-level is \"loud\"", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("bogus is not a setting", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("config.yaml: http is \"here\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nothing to serve", "run")]
    [InlineData("exclude each other", "run", "--kubernetes", "--manifests", "/tmp")]
    [InlineData("it must be a directory", "run", "--manifests", "/nowhere")]
    [InlineData("cannot read /nowhere.yaml", "run", "--config", "/nowhere.yaml")]
    public async Task What_cannot_serve_says_why(string sentence, params string[] arguments)
    {
        var ended = await StickyProcess.RunAsync(arguments);

        Assert.Equal((1, ""), (ended.Code, ended.Output));
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
    }

    private static Setting Find(string name) => SettingList.All.Single(setting => setting.Name == name);

    internal static ServeSettings? Read(string[] arguments, params (string Name, string Value)[] environment)
    {
        var command = new RootCommand();
        foreach (var setting in SettingList.All) command.Add(setting.Option);
        var variables = new Hashtable();
        foreach (var (name, value) in environment) variables[name] = value;
        var settings = SettingsReader.Read(command.Parse(arguments), variables, out var mistakes);
        Assert.Empty(mistakes);
        return settings;
    }

    [Fact]
    public async Task With_port_0_the_log_names_the_port_that_was_taken()
    {
        using var manifests = With();
        var cancellation = TestContext.Current.CancellationToken;

        await using var process = new IngressProcess(0, 0, ["run", "--manifests", manifests.Folder, "--h2c", "127.0.0.1:0"], [], cancellation);
        await process.LogsAsync("Serving http on ");

        var words = process.Error.Single(line => line.Contains("Serving http on ", StringComparison.Ordinal)).Split("Serving http on ")[1].Split(", admin on ");
        using var client = new HttpClient();
        using var unrouted = await client.GetAsync(new Uri($"http://{words[0]}/"), cancellation);
        Assert.Equal(HttpStatusCode.NotFound, unrouted.StatusCode);
        Assert.Contains("stickyingress_build_info", await client.GetStringAsync(new Uri($"http://{words[1]}/metrics"), cancellation), StringComparison.Ordinal);
    }
}
