using System.Text.Json.Nodes;

namespace StickyIngress.Testing.ApiServers;

/// <summary>A Kubernetes API server that tests write to as users and Kubernetes' own controllers do: the fake one, or a real one.</summary>
public interface ITestApiServer : IAsyncDisposable
{
    /// <summary>For the controller: with the rights of its role and no more, where the server knows rights.</summary>
    string Kubeconfig { get; }

    /// <summary>Creates the object or makes it what is given, its status too where one is given.</summary>
    Task PutAsync(JsonObject given);

    /// <summary>Makes an object that exists what is given, as Kubernetes' own controllers write: cheaper for a real server than to merge.</summary>
    Task ReplaceAsync(JsonObject given);

    Task DeleteAsync(string kind, string space, string name);

    Task<JsonObject?> FindAsync(string kind, string space, string name);

    Task<IReadOnlyList<JsonObject>> ListAsync(string kind, string space);

    /// <summary>Ends, and with it every connection. What it holds stays.</summary>
    Task DownAsync();

    /// <summary>Answers again, at the address of before.</summary>
    Task UpAsync();
}
