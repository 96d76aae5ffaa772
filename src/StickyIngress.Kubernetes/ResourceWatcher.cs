using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Kubernetes.Reading;

namespace StickyIngress.Kubernetes;

/*
 * Keeps a store equal to what the API server has of one kind in one scope, for ever.
 *
 * A round is a list (paged, or streaming where the server offers it) or a watch from the version that was last seen. The loop only knows
 * what a round left behind: no version means list, a version means watch. So every way to fail is the same: forget the version if it is of
 * no more use, wait if the round brought nothing, go on.
 *
 * Expired:   410 as an answer, as an event or for a continue token: the version is forgotten.
 * Silent:    not a byte for Silence: the stream is cut.
 * Rewound:   a server restored from a backup has lower versions, and a watch from a version of its future says nothing and does not fail.
 *            After silence or an outage a list of one object tells; then nothing is reused by version.
 * Unreadable: an event that cannot be read may have been about anything, so all is listed again, soon and less and less often, while the watch
 *            goes on. An object of a list that cannot be told from others is told, and nothing counts as gone until it can be.
 */
internal sealed class ResourceWatcher<T>(WatchContext context, ResourceStore<T> store, WatchScope scope, Random random)
    where T : Resource
{
    private readonly StringPool _pool = new();
    private readonly Backoff _backoff = new(context.Times.FirstRetry, context.Times.LastRetry, random);
    private readonly TaskCompletionSource _listed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string _version = "";
    private string _newest = "";
    private readonly UnreadableEvents _unreadable = new(context.Times, context.Time, random);
    private bool _streams = true;
    private bool _suspect;
    private bool _expired;
    private bool _rewound;

    private ResourceKind<T> Kind => store.Kind;

    /// <summary>Ends when everything was read once, or when a kind that we can do without turned out to be forbidden.</summary>
    public Task Listed => _listed.Task;

    public WatchScope Scope => scope;

    /// <summary>The API server forbids it; null: it does not.</summary>
    public string? Forbidden
    {
        get;
        private set => Tell(ref field, value);
    }

    /// <summary>Why an object of the latest list could not even be named; null: all could.</summary>
    public string? Unreadable
    {
        get;
        private set => Tell(ref field, value);
    }

    /// <summary>What there is to tell about reading.</summary>
    public IEnumerable<Diagnostic> Diagnostics(ResourceRef? resource, string what)
    {
        if (Forbidden is { } said) yield return ClusterReasons.Forbidden(resource, what, said);
        if (Unreadable is { } why) yield return ClusterReasons.Unreadable(resource, what, why);
    }

    /// <summary>Ends by cancellation only, and does not throw.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = await RoundAsync(cancellationToken);
            if (wait <= TimeSpan.Zero) continue;

            await Task.Delay(wait, context.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>How long to wait before the next.</summary>
    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        using var stream = new StreamClock(context.Time, cancellationToken);
        try
        {
            if (_suspect && _version.Length > 0) await ProbeAsync(stream);
            _suspect = false;
            if (_unreadable.IsDue) Forget(WatchRestart.Unreadable);
            if (_version.Length == 0 && (!_streams || _unreadable.Happened)) await ListAsync(stream);

            var healthy = await WatchAsync(stream);
            if (!_unreadable.IsDue) context.Observer.WatchRestarted(Kind.Name, _rewound ? WatchRestart.Rewound : WatchRestart.Ended);
            return healthy ? TimeSpan.Zero : _backoff.Next();
        }
        catch (ApiServerException e)
        {
            return Refused(e);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        catch (OperationCanceledException) when (_unreadable.IsDue && _version.Length > 0)
        {
            return TimeSpan.Zero;
        }
        catch (Exception e)
        {
            _suspect = true;
            var silent = stream.IsSilent;
            if (silent) Log.WatchSilent(context.Logger, Kind.Name, scope.Place);
            else Log.WatchFailed(context.Logger, Kind.Name, scope.Place, e.Message);
            context.Observer.WatchRestarted(Kind.Name, silent ? WatchRestart.Silent : WatchRestart.Failed);
            return _backoff.Next();
        }
    }

    private TimeSpan Refused(ApiServerException e)
    {
        if (e.IsExpired)
        {
            // After an outage the waits are long, and this is the answer of a server that is back.
            var first = _version.Length > 0 && !_expired;
            _expired = true;
            Forget(WatchRestart.Expired);
            return first ? TimeSpan.Zero : _backoff.Next();
        }

        context.Observer.WatchRestarted(Kind.Name, WatchRestart.Failed);
        Log.WatchRefused(context.Logger, Kind.Name, scope.Place, e.Code, e.Message);
        _suspect = e.Code >= 500;
        if (e.Code is (int)HttpStatusCode.Forbidden or (int)HttpStatusCode.Unauthorized)
        {
            Forbidden = e.Message;
            if (Kind.Optional)
            {
                _listed.TrySetResult();
                return context.Times.ForbiddenRetry * (1 + random.NextDouble() / 5);
            }
        }

        return _backoff.Next(e.RetryAfter);
    }

    private void Tell(ref string? trouble, string? now)
    {
        if (trouble == now) return;

        trouble = now;
        context.TroubleChanged();
    }

    /// <summary>The next round lists.</summary>
    private void Forget(WatchRestart reason)
    {
        _version = "";
        context.Observer.WatchRestarted(Kind.Name, reason);
    }

    /// <summary>Whether the server still has the version that we are at.</summary>
    private async Task ProbeAsync(StreamClock stream)
    {
        var page = await ReadPageAsync("limit=1", _ => { }, stream);
        if (IsLower(page.Version, _newest)) Rewind();
    }

    private async Task ListAsync(StreamClock stream)
    {
        var listing = new Listing<T>(store, trusting: !_rewound);
        var next = "";
        string version;
        do
        {
            var query = $"limit={context.Times.PageSize}";
            if (next.Length > 0) query += $"&continue={Uri.EscapeDataString(next)}";
            var page = await ReadPageAsync(query, json => TakeListed(json, listing), stream);
            (next, version) = (page.Continue, page.Version);
        }
        while (next.Length > 0);

        Complete(listing, version);
    }

    private async Task<ListPage> ReadPageAsync(string query, Action<ReadOnlySequence<byte>> item, StreamClock stream)
    {
        using var response = await AskAsync(query, stream);
        var pipe = PipeReader.Create(await response.Content.ReadAsStreamAsync(stream.Token), new(bufferSize: 16 * 1024));
        var page = new ListPage(item);
        try
        {
            var enough = 1;
            while (!page.IsComplete)
            {
                stream.Allow(context.Times.Silence);
                var read = await pipe.ReadAtLeastAsync(enough, stream.Token);
                var consumed = page.Read(read.Buffer);

                // An item that is not complete is looked at again only when twice as much is there, so a long one costs no more than twice.
                enough = 2 * (int)read.Buffer.Slice(consumed).Length + 1;
                pipe.AdvanceTo(consumed, read.Buffer.End);
                if (read.IsCompleted && !page.IsComplete) throw new EndOfStreamException("the list was cut off");
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }

        return page;
    }

    /// <summary>Watches until the server ends it; whether that was worth asking for. Without a version it begins with a streaming list.</summary>
    private async Task<bool> WatchAsync(StreamClock stream)
    {
        var initial = _version.Length == 0 ? new Listing<T>(store, trusting: !_rewound) : null;
        using var response = await OpenAsync(initial is not null, stream);
        if (response is null) return true;

        var began = context.Time.GetTimestamp();
        var heard = false;
        var pipe = PipeReader.Create(await response.Content.ReadAsStreamAsync(stream.Token), new(bufferSize: 16 * 1024));
        try
        {
            while (true)
            {
                stream.Allow(initial is null ? _unreadable.Within(context.Times.Silence) : context.Times.Answer);
                var read = await pipe.ReadAsync(stream.Token);
                var buffer = read.Buffer;
                while (buffer.PositionOf((byte)'\n') is { } end)
                {
                    if (TryRead(buffer.Slice(0, end), out var watched, out var head))
                    {
                        var listing = initial is not null;
                        if (!Handle(watched, head, ref initial)) return true;

                        heard = true;
                        if (initial is null) _backoff.Reset();
                        if (!listing) _expired = false;
                    }
                    else if (initial is not null)
                    {
                        // Pages say whether the object or the stream was unreadable.
                        return false;
                    }

                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }

                pipe.AdvanceTo(buffer.Start, buffer.End);
                if (_unreadable.IsDue) return true;
                if (read.IsCompleted) return initial is null && (heard || context.Time.GetElapsedTime(began) >= context.Times.Healthy);
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    /// <summary>Null when the server does not know streaming lists; it is then never asked again.</summary>
    private async Task<HttpResponseMessage?> OpenAsync(bool initial, StreamClock stream)
    {
        var life = (int)(context.Times.Life.TotalSeconds * (1 + random.NextDouble() / 10));
        var query = $"watch=true&allowWatchBookmarks=true&timeoutSeconds={life}&resourceVersion={_version}";
        if (initial) query += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        try
        {
            return await AskAsync(query, stream);
        }
        catch (ApiServerException e) when (initial && e.Code is (int)HttpStatusCode.BadRequest or (int)HttpStatusCode.UnprocessableEntity)
        {
            _streams = false;
            return null;
        }
    }

    private async Task<HttpResponseMessage> AskAsync(string query, StreamClock stream)
    {
        stream.Allow(context.Times.Answer);

        // Secrets are watched one by one, and hundreds of them are better streams of one connection than connections.
        var version = scope.Name is null ? HttpVersion.Version11 : HttpVersion.Version20;
        var response = await context.Server.SendAsync(HttpMethod.Get, Kind.Path(scope, query), null, version, stream.Token);
        Forbidden = null;
        return response;
    }

    /// <summary>False: the line is no event, which is told. A refusal of the server is thrown.</summary>
    private bool TryRead(ReadOnlySequence<byte> line, out WatchEvent watched, out ObjectHead head)
    {
        (watched, head) = (default, default);
        try
        {
            watched = WatchEvent.Read(line);
            if (watched.Type == WatchEventType.Error) throw watched.ToException();
            head = Metadata.Head(watched.Object, _pool);
            return watched.Type == WatchEventType.Bookmark || head.Name.Length > 0 ? true : throw new JsonException("its object has no name");
        }
        catch (Exception e) when (Json.IsMalformed(e))
        {
            Log.EventUnreadable(context.Logger, Kind.Name, scope.Place, e.Message);
            _unreadable.Note();
            return false;
        }
    }

    /// <summary>One event; false when the watch must begin anew.</summary>
    private bool Handle(in WatchEvent watched, in ObjectHead head, ref Listing<T>? initial)
    {
        context.Observer.WatchEvent(Kind.Name);

        // It may be the one that a list could not name.
        if (Unreadable is not null) _unreadable.Note();
        var named = Ref(head);
        switch (watched.Type)
        {
            case WatchEventType.Bookmark:
                return Bookmark(head, ref initial);
            case WatchEventType.Added or WatchEventType.Modified when initial is not null:
                TakeListed(watched.Object, initial);
                return true;
            case WatchEventType.Added or WatchEventType.Modified:
                store.Put(named, Kind.Read(watched.Object, named, _pool));
                break;
            case WatchEventType.Deleted:
                store.Remove(named);
                break;
        }

        Advance(head.ResourceVersion);
        return true;
    }

    private bool Bookmark(ObjectHead head, ref Listing<T>? initial)
    {
        if (initial is null)
        {
            if (IsLower(head.ResourceVersion, _newest))
            {
                Rewind();
                return false;
            }

            Advance(head.ResourceVersion);
            return true;
        }

        if (!head.InitialEventsEnd)
        {
            // A server that does not know streaming lists ignores the wish for one.
            _streams = false;
            return false;
        }

        var listing = initial;
        initial = null;
        Complete(listing, head.ResourceVersion);
        return _version.Length > 0;
    }

    private void TakeListed(ReadOnlySequence<byte> json, Listing<T> listing)
    {
        ObjectHead head;
        try
        {
            head = Metadata.Head(json, _pool);
            if (head.Name.Length == 0) throw new JsonException("it has no name");
        }
        catch (Exception e) when (Json.IsMalformed(e))
        {
            listing.Unreadable = e.Message;
            return;
        }

        var named = Ref(head);
        if (listing.Knows(named, head.ResourceVersion)) return;

        listing.Changed[named] = Kind.Read(json, named, _pool);
    }

    private void Complete(Listing<T> listing, string version)
    {
        if (!_rewound && IsLower(version, _newest))
        {
            // Objects were taken as known by versions that do not mean what they meant: list again, and trust none.
            Rewind();
            return;
        }

        store.Replace(scope, listing);
        Unreadable = listing.Unreadable;
        if (Unreadable is not null) Log.ObjectUnreadable(context.Logger, Kind.Name, scope.Place, Unreadable);
        _unreadable.Listed();
        _rewound = false;
        (_version, _newest) = (version, version);
        Log.Listed(context.Logger, Kind.Name, scope.Place, listing.Seen.Count, version);
        _listed.TrySetResult();
    }

    private void Advance(string version)
    {
        if (version.Length > 0) (_version, _newest) = (version, version);
    }

    private void Rewind()
    {
        Log.Rewound(context.Logger, Kind.Name, scope.Place);
        _version = "";
        _rewound = true;
    }

    private ResourceRef Ref(in ObjectHead head) => new(Kind.Name, head.Namespace, head.Name);

    /// <summary>Versions are numbers that grow, though long only the server was meant to know; where they are not, none is lower.</summary>
    private static bool IsLower(string version, string than) =>
        ulong.TryParse(version, out var one) && ulong.TryParse(than, out var other) && one < other;
}
