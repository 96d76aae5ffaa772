namespace StickyIngress.Proxy;

/// <summary>A line for each request that has ended.</summary>
public interface IAccessLog
{
    /// <summary>Does not wait for the line to be written.</summary>
    void Write(ProxyRequest request);
}
