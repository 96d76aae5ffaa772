namespace StickyIngress.Testing.Rollout;

/// <summary>How clients stick.</summary>
public enum RolloutMode
{
    /// <summary>The proxy's own cookie names the pod.</summary>
    Cookie,

    /// <summary>The proxy remembers which pod made which session.</summary>
    Learn,

    /// <summary>The application's session id names the pod.</summary>
    Route,
}
