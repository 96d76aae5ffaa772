using StickyIngress.Proxy.Forwarding;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Clients.Http1;

/// <summary>A header of a <see cref="PlainRequest"/>: where it is in what came.</summary>
internal struct RequestField
{
    public int Start { get; set; }

    public int ValueStart { get; set; }

    public int ValueLength { get; set; }

    /// <summary>The value, once somebody asked for it.</summary>
    public string? Text { get; set; }

    /// <summary>As the client spells it.</summary>
    public string Name { get; private init; }

    /// <summary>What <see cref="HeaderRules"/> says of the name alone.</summary>
    public NameUse Use { get; private init; }

    public readonly int NameLength => Name.Length;

    public static RequestField Of(ReadOnlySpan<byte> name)
    {
        var text = HeaderNameTexts.Of(name);
        return new() { Name = text, Use = HeaderRules.UseOf(text) };
    }
}
