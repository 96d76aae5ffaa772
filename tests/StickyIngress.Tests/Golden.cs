namespace StickyIngress.Tests;

/// <summary>Files of the repository that are made from others; <c>UPDATE_GOLDEN=1</c> (make generate) writes them anew.</summary>
internal static class Golden
{
    public static void Check(string path, string text)
    {
        var file = Repository.PathOf(path);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(file, text);

        Assert.Equal(File.Exists(file) ? File.ReadAllText(file) : "", text);
    }
}
