namespace StickyIngress.Core.Sharing;

/// <summary>Hears what sharing does. Called from any thread; must not block.</summary>
public interface ISharingObserver
{
    /// <param name="duration">Zero for what was not asked of the store.</param>
    void Done(SharingOperation operation, SharingOutcome outcome, TimeSpan duration);

    /// <summary>Two replicas had bound a session to two peers; this one gave way.</summary>
    void Conflict();

    /// <summary>A binding that another replica made was taken over.</summary>
    void Adopted();

    /// <summary>A part of the store cannot be used as it should: its sessions are bound here alone for now.</summary>
    /// <param name="part">Which; empty where the store has but one.</param>
    void Away(string part, string reason);

    /// <summary>That part can be used again.</summary>
    void Back(string part);

    /// <summary>A session that cannot be shared, since the store has something else under its key.</summary>
    void Unusable(string reason);
}

public enum SharingOperation
{
    /// <summary>A binding that this replica made.</summary>
    Write,

    /// <summary>A request's session that this replica did not know.</summary>
    Read,

    /// <summary>A binding that another replica announced.</summary>
    Hear,
}

public enum SharingOutcome
{
    /// <summary>Written, or found, or taken over.</summary>
    Ok,

    /// <summary>The store had another binding, which stands.</summary>
    Lost,

    /// <summary>The store has no such session.</summary>
    Missing,

    /// <summary>The binding is to a peer that is not known here, or of a version that is not.</summary>
    Unknown,

    /// <summary>No answer in time.</summary>
    Timeout,

    /// <summary>The store refused, or could not be reached.</summary>
    Failed,

    /// <summary>The store has something else under the key.</summary>
    Unusable,

    /// <summary>Not tried: as many as may were on their way already.</summary>
    Dropped,
}
