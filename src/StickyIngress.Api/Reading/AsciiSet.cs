using System.Runtime.CompilerServices;

namespace StickyIngress.Api.Reading;

/// <summary>
/// Some of the characters of ASCII. Unlike <see cref="System.Buffers.SearchValues"/> it is machine code before the program starts, and reading many
/// manifests is what a program starts with; its texts are a few characters long, so vectors would not gain much.
/// </summary>
internal sealed class AsciiSet
{
    private readonly ulong _low;
    private readonly ulong _high;

    public AsciiSet(ReadOnlySpan<char> characters)
    {
        foreach (var c in characters)
        {
            if (c < 64) _low |= 1UL << c;
            else _high |= 1UL << c;
        }
    }

    /// <summary>Inlined, since all the text of a start goes through it before hot code is compiled again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(char c) => c < 128 && ((c < 64 ? _low : _high) & (1UL << c)) != 0;

    /// <summary>Negative: there is no other.</summary>
    public int IndexOfAnyExcept(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!Contains(text[i])) return i;
        }

        return -1;
    }

    public bool HoldsAll(ReadOnlySpan<char> text) => IndexOfAnyExcept(text) < 0;
}
