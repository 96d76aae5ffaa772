using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Status;

namespace StickyIngress.Kubernetes.Status;

/// <summary>
/// From diagnostics to conditions: an error about a reference makes ResolvedRefs false, any other error Accepted, both with the
/// diagnostic's own reason; Programmed is what the publish says; Ready is their summary.
/// </summary>
internal static class StatusConditions
{
    public const string Accepted = nameof(Accepted);
    public const string ResolvedRefs = nameof(ResolvedRefs);
    public const string Programmed = nameof(Programmed);
    public const string Ready = nameof(Ready);

    private const string Pending = nameof(Pending);
    private const int LongestMessage = 32768;

    /// <summary>The status to write. A condition whose status did not change keeps the time of its last transition.</summary>
    public static StickyUpstreamStatus Of(ResourceStatus status, StickySpec? sticky, StickyUpstreamStatus? former, DateTimeOffset now)
    {
        // Times in Kubernetes have whole seconds.
        var second = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        var errors = status.Diagnostics.Where(found => found.Severity == Severity.Error).ToLookup(found => Reasons.IsReference(found.Reason));
        var warnings = Sentence(status.Diagnostics.Where(found => found.Severity == Severity.Warning));
        var accepted = Aspect(Accepted, errors[false], warnings.Length > 0 ? warnings : "The resource makes sense.");
        var resolved = Aspect(ResolvedRefs, errors[true], "Everything that it refers to is there.");
        var programmed = status.Programmed
            ? New(Programmed, ConditionStatus.True, Programmed, "This generation serves traffic.")
            : New(Programmed, ConditionStatus.False, Pending, "This generation does not serve traffic.");
        Condition[] aspects = [accepted, resolved, programmed];
        var ready = aspects.FirstOrDefault(aspect => aspect.Status != ConditionStatus.True) is { } amiss
            ? New(Ready, ConditionStatus.False, amiss.Reason, amiss.Message)
            : New(Ready, ConditionStatus.True, Ready, "All is well.");
        return new()
        {
            ObservedGeneration = status.Generation,
            Conditions = [.. aspects.Append(ready).Select(Dated)],
            Sticky = ModeOf(sticky),
            Peers = status.Peers,
        };

        Condition Dated(Condition next) => next with
        {
            ObservedGeneration = status.Generation,
            LastTransitionTime = former?.Conditions.FirstOrDefault(it => it.Type == next.Type && it.Status == next.Status)?.LastTransitionTime ?? second,
        };
    }

    /// <summary>Whether two statuses say the same about everything but the counts of peers.</summary>
    public static bool SaysTheSame(StickyUpstreamStatus one, StickyUpstreamStatus? other) =>
        other is not null && one.ObservedGeneration == other.ObservedGeneration && one.Sticky == other.Sticky
        && one.Conditions.SequenceEqual(other.Conditions);

    private static StickyMode ModeOf(StickySpec? sticky) => sticky switch
    {
        { Cookie: not null } => StickyMode.Cookie,
        { Route: not null } => StickyMode.Route,
        { Learn: not null } => StickyMode.Learn,
        _ => StickyMode.None,
    };

    private static Condition Aspect(string type, IEnumerable<Diagnostic> errors, string well) => errors.FirstOrDefault() is { } first
        ? New(type, ConditionStatus.False, first.Reason, Sentence(errors))
        : New(type, ConditionStatus.True, type, well);

    private static Condition New(string type, ConditionStatus status, string reason, string message) =>
        new() { Type = type, Status = status, Reason = reason, Message = message, LastTransitionTime = default };

    private static string Sentence(IEnumerable<Diagnostic> found)
    {
        var text = string.Join("; ", found.Select(it => it.Field.Length > 0 ? $"{it.Field}: {it.Message}" : it.Message));
        return text.Length > LongestMessage ? text[..LongestMessage] : text;
    }
}
