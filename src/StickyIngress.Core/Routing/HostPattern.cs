using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace StickyIngress.Core.Routing;

/// <summary>
/// Which hosts an entry of the <see cref="RouteTable"/> is for; the name is normalised as <see cref="RequestHost"/>
/// normalises requests'.
/// </summary>
public sealed record HostPattern
{
    private const int MaxName = 253;
    private const int MaxLabel = 63;

    private HostPattern(HostKind kind, string name)
    {
        Kind = kind;
        Name = name;
    }

    /// <summary>Every host, the empty one included.</summary>
    public static HostPattern Any { get; } = new(HostKind.Any, "");

    public HostKind Kind { get; }

    /// <summary>The host, or what follows <c>*.</c>; empty for any.</summary>
    public string Name { get; }

    /// <summary>The wildcard stands for exactly one label, as Ingress has it, and not for one or more.</summary>
    public bool OneLabel { get; init; }

    /// <summary>
    /// Reads <c>host.example</c>, <c>*.host.example</c>, <c>1.2.3.4</c> or <c>[::1]</c>. International names are taken
    /// only in their ASCII form (<c>xn--…</c>), which is what clients send. False with a message for the person who
    /// wrote it.
    /// </summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out HostPattern? pattern, [NotNullWhen(false)] out string? error)
    {
        pattern = null;
        var wildcard = text.StartsWith("*.", StringComparison.Ordinal);
        var name = wildcard ? text[2..] : text;
        error = Mistake(text, name, wildcard);
        if (error is not null) return false;

        Span<char> buffer = stackalloc char[RequestHost.MaxLength];
        if (!RequestHost.TryNormalize(name, buffer, out var length) || length == 0)
        {
            error = $"\"{text}\" is not a host name";
            return false;
        }

        pattern = new(wildcard ? HostKind.Wildcard : HostKind.Exact, buffer[..length].ToString());
        return true;
    }

    /// <param name="host">Normalised, as <see cref="RequestHost"/> has it.</param>
    public bool Matches(string host) => Kind switch
    {
        HostKind.Any => true,
        HostKind.Exact => host == Name,
        _ => IsWithin(host) && !(OneLabel && host.IndexOf('.', StringComparison.Ordinal) < host.Length - Name.Length - 1),
    };

    /// <summary>Every host of the other is one of this; of wildcards for any number of labels.</summary>
    public bool Covers(HostPattern other) => Kind switch
    {
        HostKind.Any => true,
        HostKind.Exact => other.Kind == HostKind.Exact && other.Name == Name,
        _ => other.Kind != HostKind.Any && (IsWithin(other.Name) || (other.Kind == HostKind.Wildcard && other.Name == Name)),
    };

    public override string ToString() => Kind switch
    {
        HostKind.Any => "any host",
        HostKind.Wildcard => $"*.{Name}",
        _ => Name,
    };

    private bool IsWithin(string host) =>
        host.Length > Name.Length + 1 && host.EndsWith(Name, StringComparison.Ordinal) && host[^(Name.Length + 1)] == '.';

    private static string? Mistake(string text, string name, bool wildcard)
    {
        if (name.StartsWith('[')) return wildcard || !name.EndsWith(']') ? $"\"{text}\" is not a host name" : null;
        if (!Ascii.IsValid(name))
            return $"\"{text}\" has characters that are not ASCII; write the name in its ASCII form (xn--...)";
        if (name.Contains('*', StringComparison.Ordinal)) return $"\"{text}\" has a * that is not the whole first label";
        if (name.Contains(':', StringComparison.Ordinal)) return $"\"{text}\" has a port; hosts are written without";

        if (name.Length <= MaxName && AreLabels(name.AsSpan().TrimEnd('.'))) return null;

        return $"\"{text}\" is not a host name: labels of letters, digits, - and _, "
            + $"at most {MaxLabel} characters each and {MaxName} in all";
    }

    private static bool AreLabels(ReadOnlySpan<char> name)
    {
        foreach (var label in name.Split('.'))
        {
            if (!IsLabel(name[label])) return false;
        }

        return true;
    }

    private static bool IsLabel(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return false;
        }

        return text.Length is > 0 and <= MaxLabel;
    }
}

public enum HostKind
{
    Exact,

    /// <summary>One label or more in front of the name; exactly one with <see cref="HostPattern.OneLabel"/>.</summary>
    Wildcard,

    Any,
}
