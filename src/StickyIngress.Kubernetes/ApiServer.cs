using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using k8s;

namespace StickyIngress.Kubernetes;

/// <summary>
/// One Kubernetes API server: requests to it with its credentials. Host, certificate authority and credentials (a token file is read
/// again as it is rotated) come from KubernetesClient's configuration.
/// </summary>
/// <remarks>
/// Requests go by HTTP/1.1 unless they ask for more: a watch that is cut because it went silent then takes its dead connection with it,
/// where on HTTP/2 the next watch would be put on the same one.
/// </remarks>
public sealed class ApiServer : IDisposable
{
    private static readonly ProductInfoHeaderValue UserAgent = new("sticky-ingress", typeof(ApiServer).Assembly.GetName().Version?.ToString(3));

    private readonly HttpClient _client;
    private readonly Uri _address;
    private readonly Func<HttpRequestMessage, CancellationToken, Task>? _authorize;
    private readonly IDisposable _owner;

    /// <summary>A server that asks for no credentials, or for those that the client adds. The client is disposed with this.</summary>
    public ApiServer(HttpClient client, Uri address)
        : this(client, address, authorize: null, client)
    {
    }

    private ApiServer(
        HttpClient client, Uri address, Func<HttpRequestMessage, CancellationToken, Task>? authorize, IDisposable owner)
    {
        (_client, _address, _authorize, _owner) = (client, address, authorize, owner);
    }

    /// <summary>
    /// As kubectl finds it: the kubeconfig of KUBECONFIG or the home folder, else the pod's service account.
    /// Throws what KubernetesClient throws when the configuration cannot be read.
    /// </summary>
    public static ApiServer FromDefaultConfiguration() => From(KubernetesClientConfiguration.BuildDefaultConfig());

    /// <summary>
    /// From that kubeconfig's current context, or without one as <see cref="FromDefaultConfiguration"/>. Whether the server answers is not
    /// asked. False: the mistake is a sentence for the person who started us.
    /// </summary>
    public static bool TryOpen(string? kubeconfig, [NotNullWhen(true)] out ApiServer? server, [NotNullWhen(false)] out string? mistake)
    {
        (server, mistake) = (null, null);
        var file = kubeconfig ?? Environment.GetEnvironmentVariable("KUBECONFIG");
        try
        {
            if (file is null && !File.Exists(KubernetesClientConfiguration.KubeConfigDefaultLocation) && !KubernetesClientConfiguration.IsInCluster())
            {
                mistake = "--kubernetes finds no cluster: there is no kubeconfig, and this is not a pod with a service account; name one with --kubeconfig FILE";
                return false;
            }

            server = kubeconfig is null ? FromDefaultConfiguration() : FromKubeconfig(kubeconfig);
            return true;
        }
        catch (Exception e)
        {
            // The client library throws of many kinds for what is always the same: a configuration that is not as it should be.
            mistake = $"the kubeconfig {file ?? KubernetesClientConfiguration.KubeConfigDefaultLocation} cannot be used: {e.Message}";
            return false;
        }
    }

    /// <summary>From this kubeconfig's current context.</summary>
    public static ApiServer FromKubeconfig(string file) => From(KubernetesClientConfiguration.BuildConfigFromConfigFile(file));

    public void Dispose() => _owner.Dispose();

    /// <summary>The answer as soon as its headers are there. Anything but a success is an <see cref="ApiServerException"/>.</summary>
    internal async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string pathAndQuery, HttpContent? content, Version version, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(_address, pathAndQuery)) { Content = content, Version = version };
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.UserAgent.Add(UserAgent);
        if (_authorize is not null) await _authorize(request, cancellationToken);

        var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode) return response;

        using (response) throw await RefusalAsync(response, cancellationToken);
    }

    private static ApiServer From(KubernetesClientConfiguration configuration)
    {
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        var client = new k8s.Kubernetes(configuration);
        var credentials = client.Credentials;
        return new(client.HttpClient, client.BaseUri, credentials is null ? null : credentials.ProcessHttpRequestAsync, client);
    }

    /// <summary>In seconds, or a date by the server's own clock.</summary>
    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } seconds } => seconds,
        { Date: { } date } => date - (response.Headers.Date ?? TimeProvider.System.GetUtcNow()),
        _ => null,
    };

    private static async Task<ApiServerException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var retryAfter = RetryAfter(response);
        var message = response.ReasonPhrase ?? "";
        try
        {
            using var body = await JsonDocument.ParseAsync(
                await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
            if (body.RootElement.TryGetProperty("message", out var said)) message = said.ToString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or HttpRequestException)
        {
            // What stands between us and the server (a load balancer) answers as it likes: the code says enough.
        }

        return new((int)response.StatusCode, message, retryAfter);
    }
}

/// <summary>The API server refused.</summary>
/// <param name="code">The HTTP status, or the code of the Status object in a watch.</param>
internal sealed class ApiServerException(int code, string message, TimeSpan? retryAfter = null) : Exception($"{code}: {message}")
{
    public int Code => code;

    /// <summary>How long the server asks us to wait.</summary>
    public TimeSpan? RetryAfter => retryAfter;

    /// <summary>What we ask for is from a resource version, or a continue token, that the server no longer has.</summary>
    public bool IsExpired => code == (int)HttpStatusCode.Gone;
}
