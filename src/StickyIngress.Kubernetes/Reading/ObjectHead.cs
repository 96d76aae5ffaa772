namespace StickyIngress.Kubernetes.Reading;

/// <summary>What must be known of an object before the rest of it is worth reading.</summary>
/// <param name="InitialEventsEnd">The bookmark that ends a streaming list.</param>
internal readonly record struct ObjectHead(string Namespace, string Name, string ResourceVersion, bool InitialEventsEnd);
