using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyIngress.Control;
using StickyIngress.Control.Compilation;
using StickyIngress.Proxy.Clients;

namespace StickyIngress;

/// <summary>
/// Opens the https port with the first certificate, so that an installation without certificates needs no free port for it. It is the one endpoint that
/// Kestrel takes from configuration, since only those can be added while it runs.
/// </summary>
internal sealed class HttpsEndpoint(IPEndPoint address) : ConfigurationProvider, IConfigurationSource, IReconcileObserver
{
    private const string Name = "Https";

    private bool _open;

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Configure(KestrelServerOptions kestrel)
    {
        var configuration = new ConfigurationBuilder().Add(this).Build();
        kestrel.Configure(configuration, reloadOnChange: true).Endpoint(
            Name, endpoint => kestrel.ApplicationServices.GetRequiredService<ClientTls>().Use(endpoint.ListenOptions));
    }

    public void Compiled(TimeSpan duration, CompileResult compilation)
    {
    }

    public void Published(CompileResult compilation)
    {
        if (_open || compilation.Snapshot.Certificates.IsEmpty) return;

        _open = true;
        Set($"Endpoints:{Name}:Url", Listening.HttpsUrl(address));
        Set($"Endpoints:{Name}:Protocols", nameof(HttpProtocols.Http1AndHttp2));
        OnReload();
    }
}
