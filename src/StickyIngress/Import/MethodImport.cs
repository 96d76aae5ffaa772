using System.Collections.Immutable;
using StickyIngress.Api;

namespace StickyIngress.Import;

/// <summary>The directives that name a balancing method.</summary>
internal static class MethodImport
{
    /// <summary>Null after an error, and where there is no counterpart.</summary>
    public static BalancingSpec? Read(NginxDirective line, ImportFindings findings, ImportVariables variables, UsedVariables used)
    {
        var (least, most) = line.Name switch { "hash" or "least_time" => (1, 2), "random" => (0, 2), _ => (0, 0) };
        if (line.Arguments.Length < least || line.Arguments.Length > most)
        {
            findings.Error(line, $"invalid number of arguments in \"{line.Name}\" directive");
            return null;
        }

        if (line is { Name: "hash", Arguments: [_] or [_, "consistent"] }) return Hash(line, variables, used);

        var balancing = line.Name switch
        {
            "ip_hash" => new() { Method = BalancingMethod.IPHash },
            "least_conn" => new() { Method = BalancingMethod.LeastConn },
            "least_time" => LeastTime(line.Arguments),
            "random" => Random(line.Arguments),
            _ => null,
        };
        if (balancing is null) findings.Error(line, $"invalid parameter \"{line.Arguments[^1]}\"");
        return balancing;
    }

    private static BalancingSpec? Hash(NginxDirective line, ImportVariables variables, UsedVariables used) =>
        variables.Translate(line.First, line, used) is { } key
            ? new() { Method = BalancingMethod.Hash, Hash = new() { Key = key, Consistent = line.Arguments.Length == 2 } }
            : null;

    private static BalancingSpec? LeastTime(ImmutableArray<string> words)
    {
        LeastTimeMeasure? measure = words[0] switch { "header" => LeastTimeMeasure.Header, "last_byte" => LeastTimeMeasure.LastByte, _ => null };
        var rest = words.AsSpan()[1..];
        if (measure is not { } known || rest is not ([] or ["inflight"])) return null;

        return new() { Method = BalancingMethod.LeastTime, LeastTime = new() { Measure = known, Inflight = rest.Length == 1 } };
    }

    private static BalancingSpec? Random(ImmutableArray<string> words)
    {
        RandomSpec? random = words.AsSpan() switch
        {
            [] => new(),
            ["two"] or ["two", "least_conn"] => new() { Two = true },
            ["two", "least_time=header"] => new() { Two = true, Method = RandomMethod.LeastTimeHeader },
            ["two", "least_time=last_byte"] => new() { Two = true, Method = RandomMethod.LeastTimeLastByte },
            _ => null,
        };
        return random is null ? null : new() { Method = BalancingMethod.Random, Random = random.Two ? random : null };
    }
}
