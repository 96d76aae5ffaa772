namespace StickyIngress.Control.Resolving;

/// <summary>Hears of the questions to resolvers with a statusZone, for metrics. Called from any thread; must be quick and must not throw.</summary>
public interface IResolverObserver
{
    /// <summary>A question goes to a server; a repetition is another one.</summary>
    void Asked(string zone, QuestionKind kind);

    /// <summary>What came of it.</summary>
    void Answered(string zone, QuestionOutcome outcome);

    /// <summary>No resolver has that zone any more.</summary>
    void Gone(string zone);
}

/// <summary>What is asked for.</summary>
public enum QuestionKind
{
    A,
    Aaaa,
    Srv,
}

/// <summary>How a question ended, as DNS names it.</summary>
public enum QuestionOutcome
{
    NoError,
    NxDomain,
    ServFail,
    TimedOut,
    FormErr,
    Refused,

    /// <summary>Another code, an answer that makes no sense, or a server that cannot be reached.</summary>
    Other,
}
