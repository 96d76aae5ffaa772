namespace StickyIngress.Api;

/// <summary>A port by number or by name, as Kubernetes' IntOrString.</summary>
public readonly record struct IntOrString(int Number, string? Name)
{
    public static implicit operator IntOrString(int number) => new(number, null);

    public static implicit operator IntOrString(string name) => new(0, name);

    public override string ToString() => Name ?? Number.ToString();
}

/// <summary>How long the client keeps a cookie: a time in whole seconds, or nginx's <c>max</c> (null).</summary>
public readonly record struct CookieExpires(TimeSpan? After)
{
    public static CookieExpires Max { get; } = new(null);

    public bool IsMax => After is null;
}
