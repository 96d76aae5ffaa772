using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

[Doc("What the controller found and did; written by the leader.")]
public sealed record StickyUpstreamStatus
{
    [Doc("The generation that this status speaks of.")]
    public long? ObservedGeneration { get; init; }

    [Doc("Accepted, ResolvedRefs, Programmed and Ready."), ListMap("type"), Bound(0, 8)]
    public IReadOnlyList<Condition> Conditions { get; init => field = value.ByValue(); } = ValueList<Condition>.Empty;

    [Doc("How clients stick to a server in that generation.")]
    public StickyMode? Sticky { get; init; }

    [Doc("The peers in short.")]
    public PeersStatus? Peers { get; init; }
}

/// <summary>Which of the three ways a spec has. A column of kubectl cannot say which of three keys exists, so the status says it.</summary>
public enum StickyMode
{
    None,
    Cookie,
    Route,
    Learn,
}

[Doc("One aspect of the state, by the Kubernetes conventions.")]
public sealed record Condition
{
    [Doc("Which aspect."), Required, Bound(1, 316)]
    public required string Type { get; init; }

    [Doc("True, False or Unknown."), Required]
    public required ConditionStatus Status { get; init; }

    [Doc("A stable word for why."), Required, Bound(1, 1024)]
    public required string Reason { get; init; }

    [Doc("The same for people."), Required, Bound(0, 32768)]
    public required string Message { get; init; }

    [Doc("When the status last changed."), Required]
    public required DateTimeOffset LastTransitionTime { get; init; }

    [Doc("The generation that was looked at.")]
    public long? ObservedGeneration { get; init; }
}

public enum ConditionStatus
{
    True,
    False,
    Unknown,
}

[Doc("How many peers are in which state.")]
public sealed record PeersStatus
{
    [Doc("All of them.")]
    public int Total { get; init; }

    [Doc("Those that may get new clients.")]
    public int Available { get; init; }

    [Doc("Those that keep the clients they have.")]
    public int Draining { get; init; }

    [Doc("Those that get nothing now.")]
    public int Unavailable { get; init; }
}
