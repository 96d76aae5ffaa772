using System.Text.Json;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Reads a core/v1 Service.</summary>
internal static class ServiceReader
{
    public static Service Read(ref Utf8JsonReader reader, StringPool pool)
    {
        var service = new Service { Metadata = new() { Name = "" } };
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8)) service = service with { Metadata = Metadata.Read(ref reader, pool, annotated: true) };
            else if (reader.ValueTextEquals("spec"u8) && Json.EnterObject(ref reader)) service = Spec(ref reader, service, pool);
            else if (reader.ValueTextEquals("status"u8) && Json.EnterObject(ref reader))
                service = service with { LoadBalancerAddresses = LoadBalancer.Addresses(ref reader) };
            else reader.Skip();
        }

        return service;
    }

    public static Service? Unchanged(Service former, Service next)
    {
        var same = former.Metadata.Uid == next.Metadata.Uid && former.Type == next.Type && former.ExternalName == next.ExternalName
            && former.PublishNotReadyAddresses == next.PublishNotReadyAddresses && former.Ports.SequenceEqual(next.Ports)
            && former.LoadBalancerAddresses.SequenceEqual(next.LoadBalancerAddresses)
            && Metadata.IsSame(former.Metadata.Labels, next.Metadata.Labels)
            && Metadata.IsSame(former.Metadata.Annotations, next.Metadata.Annotations);
        return same ? former with { Metadata = next.Metadata } : null;
    }

    private static Service Spec(ref Utf8JsonReader reader, Service service, StringPool pool)
    {
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("type"u8)) service = service with { Type = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("externalName"u8)) service = service with { ExternalName = Json.Text(ref reader) };
            else if (reader.ValueTextEquals("ports"u8)) service = service with { Ports = Ports(ref reader, pool) };
            else if (reader.ValueTextEquals("publishNotReadyAddresses"u8))
                service = service with { PublishNotReadyAddresses = Json.Flag(ref reader) ?? false };
            else reader.Skip();
        }

        return service;
    }

    private static List<ServicePort> Ports(ref Utf8JsonReader reader, StringPool pool)
    {
        var ports = new List<ServicePort>();
        if (!Json.EnterArray(ref reader)) return ports;

        while (Json.NextObject(ref reader))
        {
            var port = new ServicePort("", 0, "", "TCP", null);
            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("name"u8)) port = port with { Name = Json.Text(ref reader, pool) };
                else if (reader.ValueTextEquals("port"u8)) port = port with { Port = Json.Int(ref reader) };
                else if (reader.ValueTextEquals("targetPort"u8)) port = port with { TargetPort = Json.NumberOrText(ref reader) };
                else if (reader.ValueTextEquals("protocol"u8)) port = port with { Protocol = Json.Text(ref reader, pool) };
                else if (reader.ValueTextEquals("appProtocol"u8)) port = port with { AppProtocol = Json.TextOrNull(ref reader) };
                else reader.Skip();
            }

            ports.Add(port);
        }

        return ports;
    }
}

/// <summary>Reads status.loadBalancer.ingress, which Services and Ingresses have alike.</summary>
internal static class LoadBalancer
{
    /// <summary>The reader stands in the status.</summary>
    public static IReadOnlyList<string> Addresses(ref Utf8JsonReader reader)
    {
        IReadOnlyList<string> addresses = [];
        while (Json.NextProperty(ref reader))
        {
            if (!reader.ValueTextEquals("loadBalancer"u8))
            {
                reader.Skip();
                continue;
            }

            if (!Json.EnterObject(ref reader)) continue;

            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("ingress"u8)) addresses = Points(ref reader);
                else reader.Skip();
            }
        }

        return addresses;
    }

    private static List<string> Points(ref Utf8JsonReader reader)
    {
        var points = new List<string>();
        if (!Json.EnterArray(ref reader)) return points;

        while (Json.NextObject(ref reader))
        {
            var point = "";
            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("ip"u8) || reader.ValueTextEquals("hostname"u8))
                    point = Json.Text(ref reader) is { Length: > 0 } said ? said : point;
                else
                    reader.Skip();
            }

            if (point.Length > 0) points.Add(point);
        }

        return points;
    }
}
