namespace StickyIngress.Tests;

/// <summary>The files that this was built from.</summary>
internal static class Repository
{
    private static readonly string Root = Find();

    public static string PathOf(string path) => Path.Combine(Root, path);

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "StickyIngress.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
