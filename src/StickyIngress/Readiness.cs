using StickyIngress.Control;
using StickyIngress.Proxy;

namespace StickyIngress;

/// <summary>Whether new connections should come here: once a snapshot has been published, and until the process is told to stop.</summary>
internal sealed class Readiness(ReconcilerState reconciler, Draining draining)
{
    public bool IsReady => reconciler.IsReady && !draining.IsOn;

    public bool IsStopping => draining.IsOn;

    public void Stop() => draining.Begin();
}
