namespace StickyIngress.Testing;

/// <summary>What the server does instead of answering as it should.</summary>
public enum FaultKind
{
    /// <summary>Takes the request and never answers.</summary>
    Hang,

    /// <summary>Begins a watch and never sends a byte.</summary>
    Silent,

    /// <summary>Breaks the connection in the middle of the first event.</summary>
    CutMidEvent,

    /// <summary>Ends a watch as soon as it began.</summary>
    EmptyWatch,

    /// <summary>Sends a few bytes at a time.</summary>
    Slow,

    /// <summary>Answers a list with a state of the past.</summary>
    Stale,

    /// <summary>Answers 410 to whatever it is.</summary>
    Gone,

    /// <summary>Begins a watch and sends 410 as its first event.</summary>
    GoneEvent,

    /// <summary>Sends a line that is no JSON before the events.</summary>
    Garbage,

    /// <summary>Sends a line that is no JSON in place of the first event, which is never sent.</summary>
    Spoilt,

    /// <summary>Answers whatever it is with success and a page of HTML, as something between us and the server may.</summary>
    Page,

    /// <summary>Answers with the fault's code: 429, 500, 403, 409, …</summary>
    Status,
}

/// <summary>A fault and the requests that meet it.</summary>
public sealed record FakeFault(FaultKind Kind)
{
    /// <summary>list, watch, get, create, update, patch or delete; null: any.</summary>
    public string? Verb { get; init; }

    /// <summary>The plural; null: any.</summary>
    public string? Resource { get; init; }

    /// <summary>A page of a list that is not its first.</summary>
    public bool Continued { get; init; }

    /// <summary>How many requests meet it.</summary>
    public int Times { get; init; } = 1;

    public int Code { get; init; } = 500;

    /// <summary>Seconds, or an HTTP date; null: the server does not say.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>For <see cref="FaultKind.Stale"/>.</summary>
    public FakeStoreState? Past { get; init; }

    /// <summary>Whether the request meets it.</summary>
    public bool Meets(FakeRequest request) =>
        (Verb is null || Verb == request.Verb) && (Resource is null || Resource == request.Resource) && (!Continued || request.IsContinued);
}

/// <summary>A request that came in, in the words of RBAC.</summary>
/// <param name="Namespace">Null: for the whole cluster.</param>
public sealed record FakeRequest(
    string Verb, string Group, string Resource, string Subresource, string? Namespace, string? Name, string Query)
{
    public bool IsContinued => Query.Contains("continue=", StringComparison.Ordinal);
}

/// <summary>A permission that was used.</summary>
public readonly record struct FakeUse(string Verb, string Group, string Resource, string Subresource, bool Namespaced);
