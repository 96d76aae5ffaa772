using Microsoft.AspNetCore.Http;

namespace StickyIngress.Testing;

/// <summary>What a request is about, from its method, path and query.</summary>
internal sealed record FakePath(FakeResource Resource, FakeRequest Request, IQueryCollection Query)
{
    public string? Selected =>
        ((string?)Query["fieldSelector"])?.Split('=') is ["metadata.name", var name] ? name : null;

    /// <summary>Null when the server has nothing of the kind.</summary>
    public static FakePath? Parse(HttpRequest request)
    {
        var parts = request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var (group, rest) = parts switch
        {
            ["api", "v1", ..] => ("", parts[2..]),
            ["apis", var named, _, ..] => (named, parts[3..]),
            _ => ("", []),
        };
        string? space = null;
        if (rest is ["namespaces", var given, _, ..]) (space, rest) = (given, rest[2..]);
        if (rest.Length == 0) return null;

        var resource = FakeResource.All.FirstOrDefault(it => it.Group == group && it.Plural == rest[0]);
        if (resource is null || (group.Length > 0 && parts[2] != resource.Version)) return null;

        var name = rest.Length > 1 ? rest[1] : null;
        var verb = Verb(request, name is null);
        return new(resource, new(verb, group, resource.Plural, rest.Length > 2 ? rest[2] : "", space, name, request.QueryString.Value ?? ""), request.Query);
    }

    public bool Holds(FakeObject candidate) =>
        (Request.Namespace is null || candidate.Namespace == Request.Namespace) && (Selected is null || candidate.Name == Selected);

    private static string Verb(HttpRequest request, bool collection) => request.Method switch
    {
        "GET" when collection => request.Query["watch"] == "true" ? "watch" : "list",
        "GET" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        _ => "delete",
    };
}
