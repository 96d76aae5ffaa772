namespace StickyIngress;

/// <summary>The one place where the process' own output is taken.</summary>
internal static class StandardOutput
{
#pragma warning disable RS0030 // this is where it comes in
    public static Stream Open() => Console.OpenStandardOutput();

    public static TextWriter Text => Console.Out;

    public static TextWriter Error => Console.Error;
#pragma warning restore RS0030
}
