using System.Text.Json;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Reads a networking.k8s.io/v1 Ingress.</summary>
internal static class IngressReader
{
    public static Ingress Read(ref Utf8JsonReader reader, StringPool pool)
    {
        var ingress = new Ingress { Metadata = new() { Name = "" } };
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8)) ingress = ingress with { Metadata = Metadata.Read(ref reader, pool, annotated: true) };
            else if (reader.ValueTextEquals("spec"u8) && Json.EnterObject(ref reader)) ingress = Spec(ref reader, ingress, pool);
            else if (reader.ValueTextEquals("status"u8) && Json.EnterObject(ref reader))
                ingress = ingress with { LoadBalancerAddresses = LoadBalancer.Addresses(ref reader) };
            else reader.Skip();
        }

        return ingress;
    }

    private static Ingress Spec(ref Utf8JsonReader reader, Ingress ingress, StringPool pool)
    {
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("ingressClassName"u8)) ingress = ingress with { IngressClassName = Json.TextOrNull(ref reader) };
            else if (reader.ValueTextEquals("defaultBackend"u8)) ingress = ingress with { DefaultBackend = Backend(ref reader, pool) };
            else if (reader.ValueTextEquals("rules"u8)) ingress = ingress with { Rules = Rules(ref reader, pool) };
            else if (reader.ValueTextEquals("tls"u8)) ingress = ingress with { Tls = Tls(ref reader) };
            else reader.Skip();
        }

        return ingress;
    }

    private static List<IngressRule> Rules(ref Utf8JsonReader reader, StringPool pool)
    {
        var rules = new List<IngressRule>();
        if (!Json.EnterArray(ref reader)) return rules;

        while (Json.NextObject(ref reader))
        {
            var rule = new IngressRule("", []);
            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("host"u8)) rule = rule with { Host = Json.Text(ref reader) };
                else if (reader.ValueTextEquals("http"u8) && Json.EnterObject(ref reader)) rule = rule with { Paths = Http(ref reader, pool) };
                else reader.Skip();
            }

            rules.Add(rule);
        }

        return rules;
    }

    private static List<IngressPath> Http(ref Utf8JsonReader reader, StringPool pool)
    {
        var paths = new List<IngressPath>();
        while (Json.NextProperty(ref reader))
        {
            if (!reader.ValueTextEquals("paths"u8))
            {
                reader.Skip();
                continue;
            }

            if (!Json.EnterArray(ref reader)) continue;

            while (Json.NextObject(ref reader)) paths.Add(Path(ref reader, pool));
        }

        return paths;
    }

    private static IngressPath Path(ref Utf8JsonReader reader, StringPool pool)
    {
        var path = new IngressPath("", "ImplementationSpecific", new(null, null));
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("path"u8)) path = path with { Path = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("pathType"u8)) path = path with { PathType = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("backend"u8)) path = path with { Backend = Backend(ref reader, pool) ?? path.Backend };
            else reader.Skip();
        }

        return path;
    }

    private static IngressBackend? Backend(ref Utf8JsonReader reader, StringPool pool)
    {
        if (!Json.EnterObject(ref reader)) return null;

        var backend = new IngressBackend(null, null);
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("service"u8) && Json.EnterObject(ref reader)) backend = backend with { Service = ServiceBackend(ref reader, pool) };
            else if (reader.ValueTextEquals("resource"u8) && Json.EnterObject(ref reader)) backend = backend with { Resource = ResourceBackend(ref reader, pool) };
            else reader.Skip();
        }

        return backend;
    }

    private static IngressServiceBackend ServiceBackend(ref Utf8JsonReader reader, StringPool pool)
    {
        var service = new IngressServiceBackend("", "", 0);
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("name"u8)) service = service with { Name = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("port"u8) && Json.EnterObject(ref reader)) service = WithPort(service, ref reader, pool);
            else reader.Skip();
        }

        return service;
    }

    private static IngressServiceBackend WithPort(IngressServiceBackend service, ref Utf8JsonReader reader, StringPool pool)
    {
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("name"u8)) service = service with { PortName = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("number"u8)) service = service with { PortNumber = Json.Int(ref reader) };
            else reader.Skip();
        }

        return service;
    }

    private static IngressResourceBackend ResourceBackend(ref Utf8JsonReader reader, StringPool pool)
    {
        var resource = new IngressResourceBackend("", "", "");
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("apiGroup"u8)) resource = resource with { ApiGroup = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("kind"u8)) resource = resource with { Kind = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("name"u8)) resource = resource with { Name = Json.Text(ref reader) };
            else reader.Skip();
        }

        return resource;
    }

    private static List<IngressTls> Tls(ref Utf8JsonReader reader)
    {
        var entries = new List<IngressTls>();
        if (!Json.EnterArray(ref reader)) return entries;

        while (Json.NextObject(ref reader))
        {
            var entry = new IngressTls([], "");
            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("hosts"u8)) entry = entry with { Hosts = Json.Texts(ref reader) };
                else if (reader.ValueTextEquals("secretName"u8)) entry = entry with { SecretName = Json.Text(ref reader) };
                else reader.Skip();
            }

            entries.Add(entry);
        }

        return entries;
    }
}

/// <summary>Reads a networking.k8s.io/v1 IngressClass.</summary>
internal static class IngressClassReader
{
    public static IngressClass Read(ref Utf8JsonReader reader, StringPool pool)
    {
        var ingressClass = new IngressClass { Metadata = new() { Name = "" } };
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8))
                ingressClass = ingressClass with { Metadata = Metadata.Read(ref reader, pool, annotated: true) };
            else if (reader.ValueTextEquals("spec"u8) && Json.EnterObject(ref reader))
                ingressClass = ingressClass with { Controller = Controller(ref reader) };
            else reader.Skip();
        }

        return ingressClass;
    }

    private static string Controller(ref Utf8JsonReader reader)
    {
        var controller = "";
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("controller"u8)) controller = Json.Text(ref reader);
            else reader.Skip();
        }

        return controller;
    }
}
