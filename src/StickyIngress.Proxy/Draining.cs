namespace StickyIngress.Proxy;

/// <summary>
/// Whether the process is about to stop: from then on answers by HTTP/1.1 say <c>Connection: close</c>, so that clients who keep their connection go elsewhere
/// before it is closed under them.
/// </summary>
public sealed class Draining
{
    private volatile bool _isOn;

    public bool IsOn => _isOn;

    public void Begin() => _isOn = true;
}
