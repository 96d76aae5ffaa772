using System.Text.Json;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Admin;

/// <summary>A JSON merge patch (RFC 7396) of what may be changed about a peer: a value sets, null goes back to the configured one.</summary>
internal sealed class PeerPatch
{
    private const int LongestShown = 64;
    private const string YesOrNo = "it must be true, false, or null for the configured value";

    private readonly List<Func<PeerOverride, PeerOverride>> _changes = [];

    private PeerPatch()
    {
    }

    /// <summary>False with a sentence that names the field, what was found and what is allowed.</summary>
    public static bool TryParse(JsonElement json, out PeerPatch patch, out string error)
    {
        patch = new();
        error = "";
        if (json.ValueKind != JsonValueKind.Object)
        {
            error = $"the body is {Short(json)}; it must be an object with down, drain or weight";
            return false;
        }

        foreach (var field in json.EnumerateObject())
        {
            if (patch.Add(field.Name, field.Value) is not { } mistake) continue;

            error = mistake;
            return false;
        }

        return true;
    }

    public PeerOverride Apply(PeerOverride current)
    {
        foreach (var change in _changes) current = change(current);
        return current;
    }

    /// <summary>What is wrong with the field; null: nothing.</summary>
    private string? Add(string name, JsonElement value)
    {
        switch (name)
        {
            case "down" when IsFlag(value, out var down):
                _changes.Add(current => current with { Down = down });
                return null;
            case "drain" when IsFlag(value, out var drain):
                _changes.Add(current => current with { Drain = drain });
                return null;
            case "weight" when IsWeight(value, out var weight):
                _changes.Add(current => current with { Weight = weight });
                return null;
            case "down" or "drain":
                return $"{name} is {Short(value)}; {YesOrNo}";
            case "weight":
                return $"weight is {Short(value)}; it must be a whole number from {PeerOverride.MinWeight} to {PeerOverride.MaxWeight}, or null for the configured value";
            default:
                return $"{name} is {Short(value)}; only down, drain and weight can be changed";
        }
    }

    private static string Short(JsonElement value) => value.GetRawText() is { Length: > LongestShown } text ? text[..LongestShown] + "..." : value.GetRawText();

    private static bool IsFlag(JsonElement value, out bool? flag)
    {
        flag = value.ValueKind == JsonValueKind.Null ? null : value.ValueKind == JsonValueKind.True;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null;
    }

    private static bool IsWeight(JsonElement value, out int? weight)
    {
        weight = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
        return value.ValueKind == JsonValueKind.Null || weight is >= PeerOverride.MinWeight and <= PeerOverride.MaxWeight;
    }
}
