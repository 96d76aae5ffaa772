using StickyIngress.Control.Compilation;

namespace StickyIngress.Control;

/// <summary>Hears what the reconciler does, for metrics and the like. Called from its loop, so it must be quick and must not throw.</summary>
public interface IReconcileObserver
{
    /// <summary>A compile came to an end, published or not.</summary>
    void Compiled(TimeSpan duration, CompileResult compilation);

    /// <summary>The compilation serves. Its <see cref="CompileResult.Changes"/> tell which peers and upstreams are gone.</summary>
    void Published(CompileResult compilation);
}
