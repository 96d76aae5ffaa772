using StickyIngress.Control;
using StickyIngress.Control.Compilation;
using StickyIngress.Proxy.Health;

namespace StickyIngress;

/// <summary>Tells the health checks what was published.</summary>
internal sealed class CheckedUpstreams(HealthChecker checker) : IReconcileObserver
{
    public void Compiled(TimeSpan duration, CompileResult compilation)
    {
    }

    public void Published(CompileResult compilation)
    {
        foreach (var (former, current) in compilation.Changes)
        {
            if ((current ?? former) is { } changed) checker.Follow(changed.Name, current);
        }
    }
}
