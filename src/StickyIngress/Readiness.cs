using StickyIngress.Control;

namespace StickyIngress;

/// <summary>Whether new connections should come here: once a snapshot has been published, and until the process is told to stop.</summary>
internal sealed class Readiness(ReconcilerState reconciler)
{
    private volatile bool _stopping;

    public bool IsReady => reconciler.IsReady && !_stopping;

    public bool IsStopping => _stopping;

    public void Stop() => _stopping = true;
}
