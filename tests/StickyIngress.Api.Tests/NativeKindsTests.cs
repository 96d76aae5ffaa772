using System.Text;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Api.Tests;

public sealed class NativeKindsTests
{
    [Fact]
    public void A_Service_is_read_past_what_is_not_used()
    {
        var service = Read<Service>("""
            apiVersion: v1
            kind: Service
            metadata: { name: web, namespace: shop }
            spec:
              clusterIP: 10.0.0.1
              publishNotReadyAddresses: true
              ports: [{ name: http, port: 80, targetPort: 8080, appProtocol: kubernetes.io/h2c }, { port: 81, targetPort: web, protocol: UDP }]
            status: { loadBalancer: { ingress: [{ ip: 1.2.3.4 }, { hostname: lb.example.com }] } }
            """);

        Assert.True(service.PublishNotReadyAddresses);
        Assert.Equal([new("http", 80, "8080", "TCP", "kubernetes.io/h2c"), new("", 81, "web", "UDP", null)], service.Ports);
        Assert.Equal(["1.2.3.4", "lb.example.com"], service.LoadBalancerAddresses);
    }

    [Theory]
    [InlineData("{}", EndpointConditions.Ready | EndpointConditions.Serving)]
    [InlineData("{ ready: false }", EndpointConditions.None)]
    [InlineData("{ ready: false, serving: true, terminating: true }", EndpointConditions.Serving | EndpointConditions.Terminating)]
    [InlineData("{ ready: true, serving: false }", EndpointConditions.Ready)]
    public void Absent_conditions_mean_what_Kubernetes_says(string conditions, EndpointConditions expected)
    {
        var slice = Read<EndpointSlice>($$"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
            addressType: IPv4
            ports: [{ name: http, port: 8080 }]
            endpoints: [{ addresses: [10.0.0.1], conditions: {{conditions}}, targetRef: { kind: Pod, name: p, uid: u }, zone: z, nodeName: node-1 }]
            """);

        Assert.Equal("web", slice.ServiceName);
        Assert.Equal(new EndpointPort("http", 8080, "TCP", null), Assert.Single(slice.Ports));
        Assert.Equal(new Endpoint("10.0.0.1", expected, "p", "u", "z", "node-1"), Assert.Single(slice.Endpoints));
    }

    [Fact]
    public void An_Ingress_leads_to_Services_and_resources()
    {
        var ingress = Read<Ingress>("""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: { name: i }
            spec:
              ingressClassName: sticky
              defaultBackend: { resource: { apiGroup: stickyingress.io, kind: StickyUpstream, name: shop } }
              tls: [{ hosts: [a], secretName: s }]
              rules: [{ host: a, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
            """);

        Assert.Equal(new IngressResourceBackend("stickyingress.io", "StickyUpstream", "shop"), ingress.DefaultBackend!.Resource);
        Assert.Equal(new IngressServiceBackend("web", "", 80), ingress.Rules[0].Paths[0].Backend.Service);
        Assert.Equal("s", ingress.Tls[0].SecretName);
    }

    [Fact]
    public void An_IngressClass_has_no_namespace()
    {
        var found = Read<IngressClass>("""
            apiVersion: networking.k8s.io/v1
            kind: IngressClass
            metadata: { name: sticky, annotations: { ingressclass.kubernetes.io/is-default-class: "true" } }
            spec: { controller: stickyingress.io/controller }
            """);

        Assert.Equal(("", true, "stickyingress.io/controller"), (found.Metadata.Namespace, found.IsDefault, found.Controller));
    }

    [Fact]
    public void A_Secret_is_decoded()
    {
        var secret = Read<Secret>("apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ntype: kubernetes.io/tls\ndata: { a: aGk= }\nstringData: { b: ho }");

        Assert.Equal(("hi", "ho"), (Encoding.UTF8.GetString(secret.Data["a"].Span), Encoding.UTF8.GetString(secret.Data["b"].Span)));
    }

    [Theory]
    [InlineData("IPv4", "10.0.0.1", null)]
    [InlineData("IPv4", "999.1.1.1", "addresses[0] is \"999.1.1.1\"; it must be an address of type IPv4")]
    [InlineData("IPv4", "'10.1'", "addresses[0] is \"10.1\"; it must be an address of type IPv4")]
    [InlineData("IPv4", "'::1'", "addresses[0] is \"::1\"; it must be an address of type IPv4")]
    [InlineData("IPv6", "'::1'", null)]
    [InlineData("IPv6", "10.0.0.1", "addresses[0] is \"10.0.0.1\"; it must be an address of type IPv6")]
    [InlineData("FQDN", "a.test", null)]
    public void An_endpoint_that_has_no_address_of_the_slices_type_is_an_error(string type, string address, string? message)
    {
        var read = ResourceYaml.Read(
            $"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{ name: e }}\naddressType: {type}\nendpoints: [{{ addresses: [{address}] }}]", "f");

        Assert.Equal(message, read.Errors.SingleOrDefault()?.Message);
        Assert.Equal(message is null ? null : "endpoints[0]", read.Errors.SingleOrDefault()?.Field);
    }

    [Theory]
    [InlineData("data: { a: 'hunter2!' }")]
    [InlineData("data: { a: 271828 }")]
    [InlineData("stringData: { a: [hunter2] }")]
    [InlineData("type: 271828")]
    public void A_Secrets_value_is_in_no_message(string content)
    {
        var read = ResourceYaml.Read($"apiVersion: v1\nkind: Secret\nmetadata: {{ name: s }}\n{content}", "f");

        Assert.DoesNotContain("hunter2", Assert.Single(read.Errors).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("271828", read.Errors[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind: Service\nspec: { ports: [{ port: http }] }", "WrongType", "spec.ports[0].port")]
    [InlineData("kind: Service\nspec: { ports: [{ port: 0 }] }", "OutOfRange", "spec.ports[0].port")]
    [InlineData("kind: Service\nspec: { ports: [{}] }", "Required", "spec.ports[0]")]
    [InlineData("kind: Service\nspec: []", "WrongType", "spec")]
    [InlineData("kind: Service\nspec: { type: A, type: B }", "DuplicateField", "spec.type")]
    public void A_wrong_type_is_an_error(string content, string reason, string field)
    {
        var read = ResourceYaml.Read($"apiVersion: v1\nmetadata: {{ name: s }}\n{content}", "f");

        Assert.Empty(read.Resources);
        Assert.Equal((reason, field), (Assert.Single(read.Errors).Reason, read.Errors[0].Field));
    }

    [Fact]
    public void A_List_is_its_items()
    {
        var read = ResourceYaml.Read("""
            apiVersion: v1
            kind: List
            items:
            - { apiVersion: v1, kind: Service, metadata: { name: a } }
            - { apiVersion: v1, kind: Service, metadata: { name: B } }
            - { apiVersion: v1, kind: Service, metadata: { name: c } }
            """, "f");

        Assert.Equal(["a", "c"], read.Resources.Select(r => r.Metadata.Name));
        Assert.Equal("B", Assert.Single(read.Errors).Resource!.Value.Name);
    }

    private static T Read<T>(string text)
        where T : Resource
    {
        var read = ResourceYaml.Read(text, "f");

        Assert.Empty(read.Errors);
        return Assert.IsType<T>(Assert.Single(read.Resources));
    }
}
