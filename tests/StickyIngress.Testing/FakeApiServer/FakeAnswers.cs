using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace StickyIngress.Testing;

/// <summary>Everything but watches: lists in pages, and reading and writing single objects.</summary>
internal static class FakeAnswers
{
    public static async Task RefuseAsync(HttpContext context, int code, string message, string reason = "")
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(FakeStore.Bytes(Status(code, message, reason)));
    }

    public static JsonObject Status(int code, string message, string reason) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Failure",
        ["message"] = message,
        ["reason"] = reason,
        ["code"] = code,
    };

    /// <summary>A page. Its continue token holds the version and the last key: later pages are of the version of the first.</summary>
    public static async Task ListAsync(HttpContext context, FakePath path, FakeStore store, FakeFault? fault)
    {
        var state = fault is { Kind: FaultKind.Stale, Past: { } past } ? past : store.State;
        var after = "";
        if ((string?)path.Query["continue"] is { Length: > 0 } token)
        {
            var parts = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split('\n');
            if (store.Recall(long.Parse(parts[0])) is not { } begun)
            {
                await RefuseAsync(context, 410, "the provided continue parameter is too old", "Expired");
                return;
            }

            (state, after) = (begun, parts[1]);
        }

        var objects = (state.Objects.GetValueOrDefault(path.Resource) ?? ImmutableSortedDictionary<string, FakeObject>.Empty)
            .Where(it => path.Holds(it.Value) && string.CompareOrdinal(it.Key, after) > 0).ToList();
        var limit = int.TryParse(path.Query["limit"], out var given) ? given : int.MaxValue;
        var next = "";
        if (objects.Count > limit)
        {
            objects.RemoveRange(limit, objects.Count - limit);
            store.Remember(state);
            next = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{state.Version}\n{objects[^1].Key}"));
        }

        await WriteListAsync(context, path.Resource, state.Version, next, objects.Select(it => it.Value), fault?.Kind == FaultKind.Slow);
    }

    public static async Task OneAsync(HttpContext context, FakePath path, FakeStore store)
    {
        var (request, resource) = (path.Request, path.Resource);
        var space = request.Namespace ?? "";
        var body = context.Request.Method is "POST" or "PUT" or "PATCH" ? await ReadBodyAsync(context) : [];
        var name = request.Name ?? (string?)body["metadata"]?["name"] ?? "";
        var former = store.Find(resource, space, name);
        switch (request.Verb)
        {
            case "create" when former is not null:
                await RefuseAsync(context, 409, $"{resource.Plural} \"{name}\" already exists", "AlreadyExists");
                return;
            case "create":
                store.Put(body);
                await AnswerAsync(context, 201, store.Find(resource, space, name)!);
                return;
        }

        if (former is null)
        {
            await RefuseAsync(context, 404, $"{resource.Plural} \"{name}\" not found", "NotFound");
            return;
        }

        if (IsOutdated(former.Read(), body))
        {
            await RefuseAsync(context, 409, "the object has been modified", "Conflict");
            return;
        }

        switch (request.Verb)
        {
            case "get":
                await AnswerAsync(context, 200, former);
                return;
            case "update":
                await AnswerAsync(context, 200, store.Update(resource, former, _ => body));
                return;
            case "patch":
                await ApplyAsync(context, path, store, former, body);
                return;
            default:
                store.Delete(resource.Kind, space, name);
                await AnswerAsync(context, 200, former);
                return;
        }
    }

    /// <summary>Server-side apply of a status by its only manager: what it no longer gives goes; what is equal makes no new version.</summary>
    private static async Task ApplyAsync(HttpContext context, FakePath path, FakeStore store, FakeObject former, JsonObject body)
    {
        var applies = context.Request.ContentType == "application/apply-patch+yaml" && path.Query["fieldManager"].Count == 1;
        if (!applies || path.Request.Subresource != "status")
        {
            await RefuseAsync(context, 415, "only server-side apply of a status is known here", "UnsupportedMediaType");
            return;
        }

        var written = store.Update(path.Resource, former, json =>
        {
            if (JsonNode.DeepEquals(json["status"], body["status"])) return null;

            json["status"] = body["status"]?.DeepClone();
            return json;
        });
        await AnswerAsync(context, 200, written);
    }

    /// <summary>Whether the writer names a version or an identity that the object no longer has.</summary>
    private static bool IsOutdated(JsonObject former, JsonObject body) => new[] { "resourceVersion", "uid" }.Any(field =>
        (string?)body["metadata"]?[field] is { Length: > 0 } given && given != (string?)former["metadata"]![field]);

    private static async Task WriteListAsync(
        HttpContext context, FakeResource resource, long version, string next, IEnumerable<FakeObject> objects, bool slow)
    {
        context.Response.ContentType = "application/json";
        var head = $$"""
            {"kind":"{{resource.Kind}}List","apiVersion":"{{resource.ApiVersion}}","metadata":{"resourceVersion":"{{version}}","continue":"{{next}}"},"items":[
            """;
        await WriteAsync(context, Encoding.UTF8.GetBytes(head), slow);
        var first = true;
        foreach (var found in objects)
        {
            if (!first) await WriteAsync(context, ","u8.ToArray(), slow);
            first = false;
            await WriteAsync(context, found.Json, slow);
        }

        await WriteAsync(context, "]}"u8.ToArray(), slow);
    }

    /// <summary>Slowly: three bytes at a time, each sent by itself.</summary>
    public static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> bytes, bool slow)
    {
        if (!slow)
        {
            await context.Response.Body.WriteAsync(bytes);
            return;
        }

        for (var i = 0; i < bytes.Length; i += 3)
        {
            await context.Response.Body.WriteAsync(bytes[i..Math.Min(i + 3, bytes.Length)]);
            await context.Response.Body.FlushAsync();
        }
    }

    private static async Task AnswerAsync(HttpContext context, int code, FakeObject found)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(found.Json);
    }

    private static async Task<JsonObject> ReadBodyAsync(HttpContext context) =>
        (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
}
