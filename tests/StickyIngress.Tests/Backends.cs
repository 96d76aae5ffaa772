using System.Net;
using Microsoft.AspNetCore.Http;
using StickyIngress.Testing;

namespace StickyIngress.Tests;

/// <summary>Several real servers that say their names.</summary>
public sealed class Backends : IAsyncDisposable
{
    private readonly List<TestBackend> _backends = [];

    public IEnumerable<string> Addresses => _backends.Select(backend => backend.Address);

    public TestBackend this[int index] => _backends[index];

    public static Task<Backends> StartAsync(params string[] names) => StartAsync(names, static (_, _) => { });

    /// <summary>Each does that before it says its name.</summary>
    public static async Task<Backends> StartAsync(IEnumerable<string> names, Action<HttpContext, string> before, IPAddress? address = null)
    {
        var backends = new Backends();
        foreach (var name in names)
        {
            backends._backends.Add(await TestBackend.StartAsync(name, context =>
            {
                before(context, name);
                return context.Response.WriteAsync(name);
            }, address: address));
        }

        return backends;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var backend in _backends) await backend.DisposeAsync();
    }
}
