namespace StickyIngress.Core.Sessions;

/// <summary>Why a session left the table; the label <c>reason</c> of <c>session_table_ended_total</c>.</summary>
public enum SessionEnd
{
    /// <summary>Not used for the table's timeout.</summary>
    Timeout,

    /// <summary>Removed to make room for another one, or because the table was cleared.</summary>
    Evicted,

    /// <summary>Bound to another peer; the binding that replaced it counts as created.</summary>
    Replaced,

    /// <summary>Its peer is no more.</summary>
    PeerGone,
}
