using System.Collections.Immutable;
using System.Text.Json;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Kubernetes.Reading;

/// <summary>Reads a discovery.k8s.io/v1 EndpointSlice into the little of it that is used: at 100,000 endpoints each field counts.</summary>
internal static class EndpointSliceReader
{
    public static EndpointSlice Read(ref Utf8JsonReader reader, StringPool pool)
    {
        var slice = new EndpointSlice { Metadata = new() { Name = "" }, ServiceName = "" };
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8)) slice = WithMetadata(slice, ref reader, pool);
            else if (reader.ValueTextEquals("addressType"u8)) slice = slice with { AddressType = Json.Text(ref reader, pool) };
            else if (reader.ValueTextEquals("ports"u8)) slice = slice with { Ports = Ports(ref reader, pool) };
            else if (reader.ValueTextEquals("endpoints"u8)) slice = slice with { Endpoints = Endpoints(ref reader, pool) };
            else reader.Skip();
        }

        return slice;
    }

    /// <summary>Controllers touch slices without changing what they say; such a one keeps the arrays that are there.</summary>
    public static EndpointSlice? Unchanged(EndpointSlice former, EndpointSlice next)
    {
        var same = former.Metadata.Uid == next.Metadata.Uid && former.ServiceName == next.ServiceName
            && former.AddressType == next.AddressType && former.Ports.SequenceEqual(next.Ports) && former.Endpoints.SequenceEqual(next.Endpoints);
        return same ? former with { Metadata = next.Metadata } : null;
    }

    private static EndpointSlice WithMetadata(EndpointSlice slice, ref Utf8JsonReader reader, StringPool pool)
    {
        var labelled = reader;
        return slice with { Metadata = Metadata.Read(ref reader, pool, annotated: false), ServiceName = Owner(ref labelled, pool) };
    }

    private static string Owner(ref Utf8JsonReader reader, StringPool pool)
    {
        var owner = "";
        if (!Json.EnterObject(ref reader)) return owner;

        while (Json.NextProperty(ref reader))
        {
            if (!reader.ValueTextEquals("labels"u8))
            {
                reader.Skip();
                continue;
            }

            if (!Json.EnterObject(ref reader)) continue;

            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals(EndpointSlice.ServiceNameLabel)) owner = Json.Text(ref reader, pool);
                else reader.Skip();
            }
        }

        return owner;
    }

    private static ImmutableArray<EndpointPort> Ports(ref Utf8JsonReader reader, StringPool pool)
    {
        if (!Json.EnterArray(ref reader)) return [];

        var ports = ImmutableArray.CreateBuilder<EndpointPort>();
        while (Json.NextObject(ref reader))
        {
            var port = new EndpointPort("", 0, "TCP", null);
            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("name"u8)) port = port with { Name = Json.Text(ref reader, pool) };
                else if (reader.ValueTextEquals("port"u8)) port = port with { Port = Json.Int(ref reader) };
                else if (reader.ValueTextEquals("protocol"u8)) port = port with { Protocol = Json.Text(ref reader, pool) };
                else if (reader.ValueTextEquals("appProtocol"u8)) port = port with { AppProtocol = Json.TextOrNull(ref reader) };
                else reader.Skip();
            }

            ports.Add(port);
        }

        return ports.DrainToImmutable();
    }

    private static ImmutableArray<Endpoint> Endpoints(ref Utf8JsonReader reader, StringPool pool)
    {
        if (!Json.EnterArray(ref reader)) return [];

        var endpoints = ImmutableArray.CreateBuilder<Endpoint>();
        while (Json.NextObject(ref reader))
        {
            if (One(ref reader, pool) is { Address.Length: > 0 } endpoint) endpoints.Add(endpoint);
        }

        return endpoints.DrainToImmutable();
    }

    private static Endpoint One(ref Utf8JsonReader reader, StringPool pool)
    {
        var (address, node, zone, pod) = ("", "", "", (Name: "", Uid: ""));
        var conditions = EndpointConditions.Ready | EndpointConditions.Serving;
        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("addresses"u8)) address = First(ref reader);
            else if (reader.ValueTextEquals("conditions"u8)) conditions = Conditions(ref reader);
            else if (reader.ValueTextEquals("nodeName"u8)) node = Json.Text(ref reader, pool);
            else if (reader.ValueTextEquals("zone"u8)) zone = Json.Text(ref reader, pool);
            else if (reader.ValueTextEquals("targetRef"u8)) pod = Pod(ref reader);
            else reader.Skip();
        }

        return new(address, conditions, pod.Name, pod.Uid, zone, node);
    }

    private static string First(ref Utf8JsonReader reader)
    {
        if (!Json.EnterArray(ref reader)) return "";

        var first = "";
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (first.Length == 0) first = reader.GetString() ?? "";
        }

        return first;
    }

    /// <summary>Absent: ready is true, serving is as ready, terminating is false.</summary>
    private static EndpointConditions Conditions(ref Utf8JsonReader reader)
    {
        var (ready, serving, terminating) = ((bool?)null, (bool?)null, (bool?)null);
        if (Json.EnterObject(ref reader))
        {
            while (Json.NextProperty(ref reader))
            {
                if (reader.ValueTextEquals("ready"u8)) ready = Json.Flag(ref reader);
                else if (reader.ValueTextEquals("serving"u8)) serving = Json.Flag(ref reader);
                else if (reader.ValueTextEquals("terminating"u8)) terminating = Json.Flag(ref reader);
                else reader.Skip();
            }
        }

        var conditions = EndpointConditions.None;
        if (ready ?? true) conditions |= EndpointConditions.Ready;
        if (serving ?? ready ?? true) conditions |= EndpointConditions.Serving;
        if (terminating ?? false) conditions |= EndpointConditions.Terminating;
        return conditions;
    }

    private static (string Name, string Uid) Pod(ref Utf8JsonReader reader)
    {
        var (kind, name, uid) = ("", "", "");
        if (!Json.EnterObject(ref reader)) return ("", "");

        while (Json.NextProperty(ref reader))
        {
            if (reader.ValueTextEquals("kind"u8)) kind = reader.Read() && reader.ValueTextEquals("Pod"u8) ? "Pod" : "";
            else if (reader.ValueTextEquals("name"u8)) name = Json.Text(ref reader);
            else if (reader.ValueTextEquals("uid"u8)) uid = Json.Text(ref reader);
            else reader.Skip();
        }

        return kind.Length > 0 ? (name, uid) : ("", "");
    }
}
