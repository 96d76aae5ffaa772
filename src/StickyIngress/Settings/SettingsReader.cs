using System.Collections;
using System.CommandLine;
using System.Net;
using StickyIngress.Api;
using StickyIngress.Api.Reading;
using StickyIngress.Control.Resolving;

namespace StickyIngress.Settings;

/// <summary>Reads settings from the command line, the environment and the config file, and finds every mistake in them.</summary>
internal sealed class SettingsReader
{
    private readonly Dictionary<string, (IReadOnlyList<string> Values, string Origin)> _values = [];
    private readonly List<string> _mistakes = [];

    /// <summary>Null where something is wrong; then each mistake is a sentence that names the setting, the value and what is allowed.</summary>
    public static ServeSettings? Read(ParseResult parsed, IDictionary environment, out IReadOnlyList<string> mistakes)
    {
        var reader = new SettingsReader();
        reader.AddCommandLine(parsed);
        reader.AddEnvironment(environment);
        reader.AddFile();
        var settings = reader.ToSettings(environment);
        mistakes = reader._mistakes;
        return reader._mistakes.Count == 0 ? settings : null;
    }

    private void AddCommandLine(ParseResult parsed)
    {
        foreach (var setting in SettingList.All)
        {
            if (parsed.GetResult(setting.Option) is not { Implicit: false } given) continue;

            IReadOnlyList<string> values = setting.Flag ? [parsed.GetValue((Option<bool>)setting.Option) ? "true" : "false"] : [.. given.Tokens.Select(token => token.Value)];
            Add(setting, values, "--" + setting.Name);
        }
    }

    private void AddEnvironment(IDictionary environment)
    {
        foreach (var setting in SettingList.All)
        {
            if (environment[setting.EnvironmentVariable] is string { Length: > 0 } text)
                Add(setting, setting.Many ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [text], setting.EnvironmentVariable);
        }
    }

    private void AddFile()
    {
        if (Last(SettingList.Config) is not { } file) return;

        foreach (var (setting, values) in ConfigFile.Read(file, Origin(SettingList.Config), _mistakes))
            Add(setting, values, $"{file}: {setting.Name}");
    }

    /// <summary>The first origin that sets something counts.</summary>
    private void Add(Setting setting, IReadOnlyList<string> values, string origin)
    {
        if (!setting.Many && values.Count > 1)
            _mistakes.Add($"{origin} is given {values.Count} times; it takes one value");
        else
            _values.TryAdd(setting.Name, (values, origin));
    }

    private ServeSettings ToSettings(IDictionary environment) => new()
    {
        Manifests = All(SettingList.Manifests),
        Kubernetes = Read(SettingList.Kubernetes, "false", "true or false", bool.TryParse, false),
        Http = EndPoint(SettingList.Http, "0.0.0.0:8080")!,
        Https = EndPoint(SettingList.Https, "0.0.0.0:8443")!,
        H2c = EndPoint(SettingList.H2c, null),
        Admin = EndPoint(SettingList.Admin, environment.Contains("KUBERNETES_SERVICE_HOST") ? "0.0.0.0:9090" : "127.0.0.1:9090")!,
        AdminChangesFrom = Networks(SettingList.AdminChangesFrom),
        TrustedProxies = Networks(SettingList.TrustedProxies),
        IngressClass = Read<string>(SettingList.IngressClass, "sticky", "a DNS name such as sticky or example.com", TryParseClass, ""),
        Namespaces = Namespaces(SettingList.Namespace),
        Kubeconfig = Last(SettingList.Kubeconfig),
        PublishService = ServiceName(SettingList.PublishService),
        LeaderElection = Read(SettingList.LeaderElection, "true", "true or false", bool.TryParse, true),
        PodName = environment["POD_NAME"] as string ?? Environment.MachineName.ToLowerInvariant(),
        PodNamespace = environment["POD_NAMESPACE"] as string ?? "default",
        CacheFolder = Last(SettingList.CacheFolder),
        Resolvers = All(SettingList.Resolver) is { Count: > 0 } given ? [.. given.Select(NameServer)] : NameServerAddress.OfSystem(),
        AccessLog = Last(SettingList.AccessLog) ?? "json",
        LogLevel = Read<LogLevel>(
            SettingList.LogLevel, "information", "trace, debug, information, warning, error or critical", TryParseLevel, LogLevel.Information),
        AffinityKeys = Last(SettingList.AffinityKeys),
        SessionFile = Last(SettingList.SessionFile),
        SessionFileInterval = Time(SettingList.SessionFileInterval, "60s"),
        State = Last(SettingList.State),
        SyncStore = Last(SettingList.SyncStore),
        SyncPasswordFile = Last(SettingList.SyncPasswordFile),
        SyncCa = Last(SettingList.SyncCa),
        SyncPrefix = Read<string>(SettingList.SyncPrefix, "sticky-ingress", "1 to 32 of the characters a-z A-Z 0-9 . _ : { } -", TryParsePrefix, ""),
        SyncPeers = Read(SettingList.SyncPeers, "false", "true or false", bool.TryParse, false),
        SyncReadBudget = Read(SettingList.SyncReadBudget, "10ms", "a time from 1ms to 1s", TryParseBudget, TimeSpan.Zero),
        SyncMaxReads = Read(SettingList.SyncMaxReads, "256", "a whole number from 1 to 100000", TryParseReads, 1),
        ShutdownGrace = Time(SettingList.ShutdownGrace, "5s"),
        DrainTimeout = Time(SettingList.DrainTimeout, "60s"),
    };

    private delegate bool TryParse<T>(string text, out T value);

    private T Read<T>(string name, string byDefault, string allowed, TryParse<T> tryParse, T otherwise)
    {
        var text = Last(name) ?? byDefault;
        if (tryParse(text, out var value)) return value;

        _mistakes.Add($"{Origin(name)} is \"{text}\"; it must be {allowed}");
        return otherwise;
    }

    private string? ServiceName(string name)
    {
        var text = Last(name);
        if (text is null || text.Split('/') is [{ Length: > 0 }, { Length: > 0 }]) return text;

        _mistakes.Add($"{Origin(name)} is \"{text}\"; it must be NAMESPACE/NAME");
        return null;
    }

    private TimeSpan Time(string name, string byDefault) => Read(
        name, byDefault, "a time such as 500ms, 30s or 1m",
        (string text, out TimeSpan value) => NginxTime.TryParse(text, Api.Schema.TimeUnit.Milliseconds, out value), TimeSpan.Zero);

    private IPEndPoint? EndPoint(string name, string? byDefault)
    {
        var text = Last(name) ?? byDefault;
        if (text is null) return null;

        // Like nginx's listen: a port alone, or *:port, is every address.
        var full = text.StartsWith('*') ? "0.0.0.0" + text[1..] : text.StartsWith(':') ? "0.0.0.0" + text : text;
        if (!int.TryParse(full, out _) && IPEndPoint.TryParse(full, out var endPoint) && full.LastIndexOf(':') > full.LastIndexOf(']'))
            return endPoint;

        _mistakes.Add($"{Origin(name)} is \"{text}\"; it must be ADDR:PORT, such as 0.0.0.0:8080 or [::]:8080");
        return null;
    }

    private IReadOnlyList<IPNetwork> Networks(string name) => [.. All(name).Select(text => Network(name, text))];

    private IPNetwork Network(string name, string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        if (IPAddress.TryParse(text, out var address)) return new(address, address.GetAddressBytes().Length * 8);

        _mistakes.Add($"{Origin(name)} is \"{text}\"; it must be a network such as 10.0.0.0/8, or an address");
        return default;
    }

    private IPEndPoint NameServer(string text)
    {
        if (NameServerAddress.TryParse(text, out var server)) return server;

        _mistakes.Add($"{Origin(SettingList.Resolver)} is \"{text}\"; it must be an IP address, with a port if it is not 53, such as 10.0.0.10 or [::1]:5353");
        return new(IPAddress.None, 0);
    }

    private IReadOnlyList<string> Namespaces(string name)
    {
        var all = All(name);
        foreach (var text in all.Where(text => !Names.IsLabel(text)))
            _mistakes.Add($"{Origin(name)} is \"{text}\"; it must be a namespace's name: lower-case letters, digits and '-'");
        return all;
    }

    private static bool TryParseClass(string text, out string name)
    {
        name = text;
        return Names.IsSubdomain(text);
    }

    private static bool TryParseLevel(string text, out LogLevel level) =>
        Enum.TryParse(text, ignoreCase: true, out level) && Enum.IsDefined(level) && !char.IsAsciiDigit(text[0]);

    private static bool TryParsePrefix(string text, out string prefix)
    {
        prefix = text;
        return text.Length is >= 1 and <= 32 && text.All(c => char.IsAsciiLetterOrDigit(c) || ".:_-{}".Contains(c, StringComparison.Ordinal));
    }

    private static bool TryParseBudget(string text, out TimeSpan budget) =>
        NginxTime.TryParse(text, Api.Schema.TimeUnit.Milliseconds, out budget) && budget >= TimeSpan.FromMilliseconds(1) && budget <= TimeSpan.FromSeconds(1);

    private static bool TryParseReads(string text, out int number) => int.TryParse(text, out number) && number is >= 1 and <= 100_000;

    private IReadOnlyList<string> All(string name) => _values.TryGetValue(name, out var found) ? found.Values : [];

    private string? Last(string name) => _values.TryGetValue(name, out var found) && found.Values.Count > 0 ? found.Values[^1] : null;

    private string Origin(string name) => _values.TryGetValue(name, out var found) ? found.Origin : "--" + name;
}
