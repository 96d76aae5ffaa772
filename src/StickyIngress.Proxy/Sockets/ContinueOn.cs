namespace StickyIngress.Proxy.Sockets;

/// <summary>Where who waits for a socket's event goes on.</summary>
internal enum ContinueOn
{
    /// <summary>On the thread that sees it, at once.</summary>
    EventLoop,

    /// <summary>As with the runtime's own sockets.</summary>
    ThreadPool,

    /// <summary>On one of the <see cref="Sockets.BulkThreads"/>.</summary>
    BulkThread,
}
