using StickyIngress.Api.Schema;

namespace StickyIngress.Api;

/// <summary>
/// Times as nginx writes them: <c>1h30m</c>, <c>500ms</c>, a bare number for seconds. Parsing follows nginx to the letter,
/// with its two variants: whole seconds know <c>y</c> and <c>M</c>, milliseconds know <c>ms</c>.
/// </summary>
public static class NginxTime
{
    /// <summary>Longer times, which nginx accepts up to 2^63-1 of its unit, become this one.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(922_337_203_685);

    private enum Step
    {
        Start,
        Year,
        Month,
        Week,
        Day,
        Hour,
        Minute,
        Second,
        Millisecond,
        Last,
    }

    /// <summary>What is written in a resource, in words.</summary>
    public static string Allowed(TimeUnit unit) => unit == TimeUnit.Seconds
        ? "a time in whole seconds such as 10s, 1h30m or 30d"
        : "a time such as 500ms, 10s or 1h30m";

    /// <summary>The resource's form of a time (RE2): nginx's, but each unit has digits in front of it.</summary>
    public static string Pattern(TimeUnit unit) => unit == TimeUnit.Seconds
        ? "^([0-9]+y *)?([0-9]+M *)?([0-9]+w *)?([0-9]+d *)?([0-9]+h *)?([0-9]+m *)?([0-9]+s *)?([0-9]+)?$"
        : "^([0-9]+w *)?([0-9]+d *)?([0-9]+h *)?([0-9]+m *)?([0-9]+s *)?([0-9]+ms *)?([0-9]+)?$";

    /// <summary>Reads a time as the resource allows it: as nginx, without the forms that only its parser's leniency lets through.</summary>
    public static bool TryParseStrict(string text, TimeUnit unit, out TimeSpan time) =>
        TryParse(text, unit, out time) && HasDigitsBeforeUnits(text);

    public static bool TryParse(ReadOnlySpan<char> text, TimeUnit unit, out TimeSpan time)
    {
        time = default;
        var perSecond = unit == TimeUnit.Seconds ? 1L : 1000L;
        var step = unit == TimeUnit.Seconds ? Step.Start : Step.Month;
        long total = 0, value = 0;
        var digits = false;

        for (var i = 0; i < text.Length;)
        {
            if (char.IsAsciiDigit(text[i]))
            {
                digits = true;
                if (!TryAdd(value, 10, text[i++] - '0', out value)) return false;
                continue;
            }

            var (next, scale, length) = ReadUnit(text[i..], perSecond);
            if (length == 0 || (next == Step.Last ? step >= Step.Second : step >= next)) return false;
            if (next == Step.Millisecond && unit == TimeUnit.Seconds) return false;
            if (!TryAdd(value, scale, total, out total)) return false;

            (step, value) = (next, 0);
            for (i += length; i < text.Length && text[i] == ' ';) i++;
        }

        if (!digits || !TryAdd(value, perSecond, total, out total)) return false;

        var longest = (long)Longest.TotalSeconds * perSecond;
        time = total >= longest ? Longest : TimeSpan.FromTicks(total * (TimeSpan.TicksPerSecond / perSecond));
        return true;
    }

    /// <summary>The shortest form with units; what is finer than a millisecond is dropped.</summary>
    public static string Format(TimeSpan time)
    {
        var milliseconds = time.Ticks / TimeSpan.TicksPerMillisecond;
        if (milliseconds <= 0) return "0s";

        var text = new System.Text.StringBuilder();
        foreach (var (name, size) in (ReadOnlySpan<(string, long)>)[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)])
        {
            if (milliseconds >= size) text.Append(milliseconds / size).Append(name);
            milliseconds %= size;
        }

        return text.ToString();
    }

    private static (Step Step, long Scale, int Length) ReadUnit(ReadOnlySpan<char> text, long perSecond) => text[0] switch
    {
        'y' => (Step.Year, 31_536_000 * perSecond, 1),
        'M' => (Step.Month, 2_592_000 * perSecond, 1),
        'w' => (Step.Week, 604_800 * perSecond, 1),
        'd' => (Step.Day, 86_400 * perSecond, 1),
        'h' => (Step.Hour, 3600 * perSecond, 1),
        'm' when text.Length > 1 && text[1] == 's' => (Step.Millisecond, 1, 2),
        'm' => (Step.Minute, 60 * perSecond, 1),
        's' => (Step.Second, perSecond, 1),
        ' ' => (Step.Last, perSecond, 1),
        _ => (Step.Start, 0, 0),
    };

    private static bool TryAdd(long value, long scale, long more, out long sum)
    {
        var fits = value <= (long.MaxValue - more) / scale;
        sum = fits ? (value * scale) + more : 0;
        return fits;
    }

    private static bool HasDigitsBeforeUnits(ReadOnlySpan<char> text)
    {
        var before = ' ';
        var first = true;
        foreach (var c in text)
        {
            var fits = c == ' '
                ? !first && !char.IsAsciiDigit(before)
                : char.IsAsciiDigit(c) || char.IsAsciiDigit(before) || (c == 's' && before == 'm');
            if (!fits) return false;
            (before, first) = (c, false);
        }

        return true;
    }
}
