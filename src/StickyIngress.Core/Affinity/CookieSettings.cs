using System.Buffers;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Affinity;

/// <summary>The cookie of <see cref="CookieAffinity"/>, as configured.</summary>
public sealed record CookieSettings
{
    /// <summary>For <see cref="Expires"/>: nginx's <c>expires=max</c>, the end of 2037.</summary>
    public static readonly TimeSpan Max = TimeSpan.MaxValue;

    // Printable ASCII without the semicolon: nothing else may stand in an attribute.
    private static readonly SearchValues<char> AttributeCharacters =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c != ';')]);

    public required string Name { get; init; }

    public CookieForm Form { get; init; }

    /// <summary>Another form that is understood, and replaced by <see cref="Form"/>; null: none.</summary>
    public CookieForm? Accept { get; init; }

    /// <summary>
    /// How long the client keeps it, in whole seconds, or <see cref="Max"/>; null: until the browser is closed.
    /// </summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>
    /// Evaluated per cookie; the attribute is left out where the result is empty or could break out of it.
    /// </summary>
    public Template Domain { get; init; } = Template.Empty;

    /// <summary>Null: no attribute. Must be an <see cref="IsAttributeValue"/>.</summary>
    public string? Path { get; init; } = "/";

    public bool HttpOnly { get; init; }

    public SecureFlag Secure { get; init; }

    /// <summary>
    /// Printed as it is where it is strict, lax or none in any case; left out where empty; else printed as strict.
    /// </summary>
    public Template SameSite { get; init; } = Template.Empty;

    public bool Partitioned { get; init; }

    public CookieIssuing Issue { get; init; }

    /// <summary>
    /// A client that was away for longer is balanced as new; null: no limit. Makes an opaque cookie a sealed one.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>
    /// A binding ends after this time however often it is used; null: no limit. Makes an opaque cookie a sealed one.
    /// </summary>
    public TimeSpan? AbsoluteTimeout { get; init; }

    /// <summary>
    /// A peer that is gone may come back under its name, so its clients keep their cookies even while they are refused.
    /// </summary>
    public bool PeersReturn { get; init; }

    /// <summary>The times in the cookie are enforced by us, so that it must be sealed.</summary>
    internal bool Sealed => Form == CookieForm.Opaque && (IdleTimeout is not null || AbsoluteTimeout is not null);

    internal bool Understands(CookieForm form) => Form == form || Accept == form;

    /// <summary>Whether the text can stand in an attribute: printable ASCII without semicolons.</summary>
    public static bool IsAttributeValue(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(AttributeCharacters);
}

/// <summary>What the cookie's value says.</summary>
public enum CookieForm
{
    /// <summary>Keyed; says nothing about the peer.</summary>
    Opaque,

    /// <summary>nginx's: the route, or the MD5 of address and port.</summary>
    NginxSid,
}

/// <summary>When the cookie has the Secure attribute.</summary>
public enum SecureFlag
{
    /// <summary>When the client's connection is https.</summary>
    Auto,
    Always,
    Never,
}

/// <summary>When the cookie is sent.</summary>
public enum CookieIssuing
{
    /// <summary>
    /// To new and rebound clients, to those whose cookie is of an older key or another form, and at half of its time.
    /// nginx's form has no room for a time, so with an expiry it is sent with every response.
    /// </summary>
    OnChange,

    /// <summary>With every response, as nginx does.</summary>
    Always,
}
