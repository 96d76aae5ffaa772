namespace StickyIngress.Core.Sessions;

/// <summary>Why a session left the table; the label <c>reason</c> of <c>session_table_ended_total</c>.</summary>
public enum SessionEnd
{
    /// <summary>Not used for the table's timeout.</summary>
    Timeout,

    /// <summary>Removed to make room for another one.</summary>
    Evicted,

    /// <summary>Bound to another peer; the binding that replaced it counts as created.</summary>
    Replaced,

    /// <summary>Bound to another peer because its own is no more; the binding that replaced it counts as created.</summary>
    PeerGone,
}
