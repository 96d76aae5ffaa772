using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>When a text is evaluated, and so which variables can have a value in it.</summary>
internal enum Moment
{
    /// <summary>Before a peer is selected: the request is known.</summary>
    Request,

    /// <summary>When the request goes to a peer: the selection is known too.</summary>
    Try,

    /// <summary>When the response is there.</summary>
    Response,
}

internal static class Moments
{
    /// <summary>Whether every variable of the text can have a value at that moment.</summary>
    public static bool AreKnown(Template template, Moment moment) => template.Variables.All(variable => Of(variable) <= moment);

    private static Moment Of(Variable variable) => variable.Kind switch
    {
        VariableKind.Map => Of(variable.Map!),
        VariableKind.Peer or VariableKind.StickyOutcome or VariableKind.StickyReason => Moment.Try,
        VariableKind.Status or VariableKind.BodyBytesSent => Moment.Response,
        >= VariableKind.UpstreamAddr and <= VariableKind.UpstreamTrailerNamed => Moment.Response,
        _ => Moment.Request,
    };

    private static Moment Of(MapVariable map)
    {
        var latest = map.From.Variables.Concat(map.Value.Variables).Select(Of).DefaultIfEmpty(Moment.Request).Max();
        var otherwise = map.Otherwise is { } other ? Of(other) : Moment.Request;
        return otherwise > latest ? otherwise : latest;
    }
}
