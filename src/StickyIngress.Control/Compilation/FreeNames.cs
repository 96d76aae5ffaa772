namespace StickyIngress.Control.Compilation;

/// <summary>Gives each peer a name that no peer before it has, so that no two are taken for one.</summary>
internal sealed class FreeNames
{
    private readonly HashSet<string> _taken = [];

    /// <summary>Of names that many want, the number with which the search goes on.</summary>
    private Dictionary<string, int>? _next;

    /// <summary>The name itself; where a peer before has it (one pod behind two servers), with the server's name, and then with a number.</summary>
    public string Take(string name, string server)
    {
        if (_taken.Add(name)) return name;

        var qualified = $"{server}/{name}";
        if (_taken.Add(qualified)) return qualified;

        _next ??= [];
        var number = _next.GetValueOrDefault(qualified, 2);
        string numbered;
        do numbered = $"{qualified}/{number++}";
        while (!_taken.Add(numbered));

        _next[qualified] = number;
        return numbered;
    }
}
