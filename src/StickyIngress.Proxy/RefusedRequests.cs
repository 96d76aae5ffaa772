using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyIngress.Core;
using StickyIngress.Proxy.Clients;

namespace StickyIngress.Proxy;

/// <summary>
/// Counts and logs the requests that the server cannot read and therefore answers itself: they never reach the pipeline, and would leave no
/// trace. The server reports them to its diagnostic source, which is this.
/// </summary>
public sealed class RefusedRequests(TrustedProxies trusted, Clock clock, ProxyMetrics metrics, IAccessLog accessLog) : DiagnosticSource
{
    private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public override bool IsEnabled(string name) => name == BadRequest;

    public override void Write(string name, object? value)
    {
        if (name != BadRequest || value is not IFeatureCollection features) return;

        var context = new DefaultHttpContext(features);
        // The pipeline was there before, and the rest of the body turned out to be bad.
        if (context.Response.HasStarted || features.Get<ProxyRequest>() is not null || features.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException error) return;

        var request = new ProxyRequest(context, clock, trusted.Identify(context))
        {
            Target = features.Get<IHttpRequestFeature>()?.RawTarget ?? "",
            Refusal = error.Message.Replace(": ''", "", StringComparison.Ordinal), // the server quotes only where it logs
        };
        context.Response.StatusCode = error.StatusCode;
        metrics.Begin();
        metrics.End(request);
        accessLog.Write(request);
    }
}
