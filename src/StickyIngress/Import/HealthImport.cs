using StickyIngress.Api;
using StickyIngress.Api.Schema;

namespace StickyIngress.Import;

/// <summary><c>health_check</c> of a location and the <c>match</c> block that it names.</summary>
internal sealed class HealthImport(ImportFindings findings, IReadOnlyDictionary<string, NginxDirective> matches)
{
    public HealthCheckSpec Read(NginxDirective line)
    {
        var check = new HealthCheckSpec();
        foreach (var word in line.Arguments)
        {
            var (name, value) = NginxValues.Parameter(word);
            if (name is "type" or "keepalive_time" or "grpc_service" or "grpc_status") findings.NoCounterpart(line, $"{word} is left out");
            else if (Parameter(check, name, value, line) is { } more) check = more;
            else findings.Error(line, $"invalid parameter \"{word}\"");
        }

        if (check is { Persistent: true, Mandatory: false }) findings.Error(line, "\"persistent\" requires \"mandatory\"");
        return check;
    }

    private HealthCheckSpec? Parameter(HealthCheckSpec check, string name, string? value, NginxDirective line)
    {
        var isTime = NginxTime.TryParse(value, TimeUnit.Milliseconds, out var time);
        var isNumber = NginxValues.TryNumber(value, 1, out var number);
        return name switch
        {
            "interval" when isTime && time > TimeSpan.Zero => check with { Interval = time },
            "jitter" when isTime => check with { Jitter = time },
            "fails" when isNumber => check with { Fails = (int)findings.AtMost(line, number, int.MaxValue) },
            "passes" when isNumber => check with { Passes = (int)findings.AtMost(line, number, int.MaxValue) },
            "uri" when value?.StartsWith('/') == true => check with { Path = value },
            "port" when isNumber && number <= 65535 => check with { Port = (int)number },
            "mandatory" when value is null => check with { Mandatory = true },
            "persistent" when value is null => check with { Persistent = true },
            "match" when value is not null && matches.TryGetValue(value, out var block) => check with { Match = Match(block) },
            "match" when value is not null => Unknown(check, value, line),
            _ => null,
        };
    }

    private HealthCheckSpec Unknown(HealthCheckSpec check, string match, NginxDirective line)
    {
        findings.Error(line, $"\"match\" block \"{match}\" is not found");
        return check;
    }

    private HealthMatchSpec Match(NginxDirective block)
    {
        // Without a test of its own a status is not looked at.
        var match = new HealthMatchSpec { Status = ["100-599"] };
        var headers = new List<string>();
        foreach (var test in block.Inside)
        {
            switch (test.Name)
            {
                case "status" when test.Arguments.Length > 0:
                    match = match with { Status = Statuses(test) };
                    break;
                case "header" when test.Arguments.Length > 0:
                    headers.Add(string.Join(' ', test.Arguments));
                    break;
                case "body" when test.Arguments.Length == 2 && test.First is "~" or "!~":
                    match = match with { Body = string.Join(' ', test.Arguments) };
                    break;
                case "require":
                    findings.NoCounterpart(test);
                    break;
                default:
                    findings.Error(test, $"invalid test in match \"{block.First}\"");
                    break;
            }
        }

        return match with { Headers = headers };
    }

    /// <summary>The ! stands alone in nginx and negates what follows it.</summary>
    private static List<string> Statuses(NginxDirective test) =>
        test.First == "!" ? [.. test.Arguments.Skip(1).Select((status, i) => i == 0 ? $"! {status}" : status)] : [.. test.Arguments];
}
