namespace StickyIngress.Proxy;

/// <summary>The peer's response broke off after part of it went to the client, whose response has to break off too.</summary>
internal sealed class ResponseCutException() : IOException("the peer's response broke off");
