using System.Text.Json;

namespace StickyIngress.Testing;

/// <summary>The answers recorded from a real nginx, see Vectors/*.json; each file says how it was recorded.</summary>
public static class Vectors
{
    public static JsonElement Load(string file)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Vectors", file);
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}
