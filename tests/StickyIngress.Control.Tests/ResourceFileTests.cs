using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Sources;

namespace StickyIngress.Control.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class ResourceFileTests : IDisposable
{
    private const string Everything = """
        apiVersion: stickyingress.io/v1alpha1
        kind: StickyUpstream
        metadata: { name: shop, uid: u-1, generation: 3, creationTimestamp: "2026-01-02T03:04:05Z", labels: { a: b }, annotations: { c: "ü\n" } }
        spec:
          servers: [{ name: web, service: { name: web, port: http } }, { name: spare, address: "[::1]:80", backup: true, failTimeout: 1m30s }]
          sticky: { learn: { create: ["$upstream_cookie_sid"], lookup: ["$cookie_sid"], zone: { name: sessions, size: 1m } } }
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: web, uid: u-2 }
        spec:
          publishNotReadyAddresses: true
          ports: [{ name: http, port: 80, targetPort: web, appProtocol: h2c }, { name: more, port: 81, targetPort: 8081 }]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
        addressType: IPv4
        ports: [{ name: http, port: 8080 }]
        endpoints:
        - { addresses: [10.0.0.1], targetRef: { kind: Pod, name: web-0, uid: p-0 }, zone: zone-1, nodeName: node-1 }
        - { addresses: [10.0.0.2], conditions: { ready: false, serving: true, terminating: true } }
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: shop }
        spec:
          ingressClassName: sticky
          defaultBackend: { resource: { apiGroup: stickyingress.io, kind: StickyUpstream, name: shop } }
          tls: [{ hosts: [shop.example.com], secretName: shop-tls }]
          rules:
          - host: shop.example.com
            http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
        ---
        apiVersion: networking.k8s.io/v1
        kind: IngressClass
        metadata: { name: sticky, annotations: { ingressclass.kubernetes.io/is-default-class: "true" } }
        spec: { controller: stickyingress.io/controller }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("resource-file-").FullName;

    private ResourceFile File => new(_folder, NullLogger<ResourceFile>.Instance);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_written_reads_back_equal()
    {
        var written = Set();

        File.Write(written);
        var read = File.Read()!;

        Assert.Equal(written.Upstreams.Values, read.Upstreams.Values);
        Assert.Equal(written.Services.Values, read.Services.Values);
        Assert.Equal(written.Ingresses.Values, read.Ingresses.Values);
        Assert.Equal(written.IngressClasses.Values, read.IngressClasses.Values);
        var (former, slice) = (Assert.Single(written.EndpointSlices.Values.Single()), Assert.Single(read.EndpointSlices.Values.Single()));
        Assert.Equal(former.Metadata, slice.Metadata);
        Assert.Equal(former.Ports.AsEnumerable(), slice.Ports);
        Assert.Equal(former.Endpoints.AsEnumerable(), slice.Endpoints);
        Assert.Null(read.Changed);
    }

    [Fact]
    public void Secrets_are_kept_and_only_the_owner_may_read_them()
    {
        var secret = new Secret
        {
            Metadata = new() { Name = "shop-tls" },
            Type = Secret.TlsType,
            Data = new Dictionary<string, ReadOnlyMemory<byte>> { ["tls.key"] = new byte[] { 0, 255, 7 } },
        };

        File.Write(ResourceSet.Empty with { Secrets = ResourceMap<Secret>.Empty.SetItem(secret.Ref, secret) });

        Assert.Equal([0, 255, 7], Assert.Single(File.Read()!.Secrets.Values).Data["tls.key"].ToArray());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File.Path));
    }

    [Fact]
    public void A_line_that_is_damaged_is_left_out()
    {
        File.Write(Set());
        System.IO.File.AppendAllText(File.Path, "{\"kind\":\"Serv");

        Assert.Single(File.Read()!.Upstreams);
    }

    [Fact]
    public void Without_a_file_there_is_nothing() => Assert.Null(File.Read());

    private static ResourceSet Set()
    {
        var builder = new ResourceSetBuilder(ResourceSet.Empty);
        var resources = ResourceYaml.Read(Everything, "all.yaml").Resources.Select(resource => resource with { File = null }).ToArray();
        foreach (var resource in resources) builder.Set(resource.Ref, resource);
        builder.SetSlices(new(Service.KindName, "default", "web"), [.. resources.OfType<EndpointSlice>()]);
        return builder.ToSet([]);
    }
}
