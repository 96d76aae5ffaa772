using StickyIngress.Api;
using StickyIngress.Api.Schema;
using StickyIngress.Control.Compilation;

namespace StickyIngress.Import;

/// <summary>One <c>server</c> line of an upstream block. Of a parameter that stands twice the last holds, as in nginx.</summary>
/// <param name="hashes">The balancing method named before the line takes no backups and no slow start.</param>
internal sealed class ServerImport(ImportFindings findings, NginxDirective line, bool hashes)
{
    private const int HeaviestWeight = 65535;
    private const int LongestRoute = 32;

    private ServerSpec _server = new();

    /// <summary>Null after an error.</summary>
    public ServerSpec? Read(string name)
    {
        if (line.Arguments.IsEmpty) return Refuse("invalid number of arguments in \"server\" directive");
        if (!ServerAddress.TryParse(line.First, out var address, out var wrong)) return Refuse($"{wrong} in upstream \"{line.First}\"");

        _server = new() { Name = name, Address = line.First };
        foreach (var word in line.Arguments.Skip(1))
        {
            var (parameter, value) = NginxValues.Parameter(word);
            if (Apply(parameter, value) is { } mistake) return Refuse(mistake.Length > 0 ? mistake : $"invalid parameter \"{word}\"");
        }

        return Check(address) is { } unfit ? Refuse(unfit) : _server with { Resolve = _server.Resolve && address.Host is not null };
    }

    private ServerSpec? Refuse(string message)
    {
        findings.Error(line, message);
        return null;
    }

    /// <summary>What is wrong with the parameter; empty: it is invalid; null: nothing.</summary>
    private string? Apply(string name, string? value) => (name, value) switch
    {
        ("weight", not null) => Number(value, 1, HeaviestWeight, number => _server with { Weight = number }),
        ("max_conns", not null) => Number(value, 0, int.MaxValue, number => _server with { MaxConns = number }),
        ("max_fails", not null) => Number(value, 0, int.MaxValue, number => _server with { MaxFails = number }),
        ("fail_timeout", not null) => Time(value, time => _server with { FailTimeout = time }),
        ("slow_start", not null) => hashes
            ? "balancing method does not support parameter \"slow_start\""
            : Time(value, time => _server with { SlowStart = time }),
        ("backup", null) => hashes ? "balancing method does not support parameter \"backup\"" : Set(_server with { Backup = true }),
        ("down", null) => Set(_server with { Down = true, Drain = false }),
        ("drain", null) => Set(_server with { Drain = true, Down = false }),
        ("resolve", null) => Set(_server with { Resolve = true }),
        ("route", "") => "route is empty",
        ("route", { Length: > LongestRoute }) => "route is longer than 32",
        ("route", not null) => Set(_server with { Route = value }),
        ("service", "") => "service is empty",
        ("service", not null) => Set(_server with { Srv = value }),
        _ => "",
    };

    private string? Check(ServerAddress address)
    {
        if (_server.Srv is null) return null;
        if (address.Host is null) return $"service upstream \"{line.First}\" requires domain name";
        if (line.First.Contains(':', StringComparison.Ordinal)) return $"service upstream \"{line.First}\" may not have port";
        return _server.Resolve ? null : $"service upstream \"{line.First}\" requires \"resolve\" parameter";
    }

    private string? Number(string value, long least, int most, Func<int, ServerSpec> set)
    {
        return NginxValues.TryNumber(value, least, out var number) ? Set(set((int)findings.AtMost(line, number, most))) : "";
    }

    private string? Time(string value, Func<TimeSpan, ServerSpec> set) =>
        NginxTime.TryParse(value, TimeUnit.Seconds, out var time) ? Set(set(time)) : "";

    private string? Set(ServerSpec server)
    {
        _server = server;
        return null;
    }
}
