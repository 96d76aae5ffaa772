using StickyIngress.Proxy;

namespace StickyIngress;

/// <summary>For <c>--access-log off</c>.</summary>
internal sealed class NoAccessLog : IAccessLog
{
    public void Write(ProxyRequest request)
    {
    }
}
