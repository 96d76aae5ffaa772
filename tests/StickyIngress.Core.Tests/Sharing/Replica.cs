using Microsoft.Extensions.Time.Testing;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;

namespace StickyIngress.Core.Tests.Sharing;

/// <summary>A replica without its proxy: a session table, its sharing, and what requests do to both.</summary>
internal sealed class Replica : ISharingObserver
{
    public static readonly string[] AllPeers = ["pod-a", "5f0c6bd2-4b1c-4d52-9f2f-3a1f6f0c7e11", "pod-c"];

    private static readonly byte[] Secret = new byte[SessionHasher.MinimumSecretLength];

    private readonly SessionZone _zone;
    private readonly SharedZone _shared;
    private Task _writing = Task.CompletedTask;

    public Replica(StoreContent content, SharingOptions? options = null, FakeTimeProvider? time = null, string owner = "uid-1")
    {
        Time = time ?? new();
        Store = new(content);
        Sharing = new(Store, options ?? new(), Time, this);
        _zone = new("web/shop", Secret, new(1000, TimeSpan.FromMinutes(10)), Time);
        foreach (var peer in AllPeers) _zone.Peers.Assign(peer);
        _shared = Sharing.Join(owner, _zone);
        Sharing.ProbeAsync().GetAwaiter().GetResult();
        Sharing.ReofferAsync(default).GetAwaiter().GetResult(); // of no session: none is known yet
    }

    public FakeStore Store { get; }

    public SessionSharing Sharing { get; }

    public FakeTimeProvider Time { get; }

    public List<(SharingOperation Operation, SharingOutcome Outcome)> Seen { get; } = [];

    public int Conflicts { get; private set; }

    public List<string> States { get; } = [];

    public static SessionKey Key(int session) => new((ulong)session + 1, 77);

    public string? PeerOf(int session) => _zone.Table.TryFind(Key(session), out var ordinal) ? _zone.Peers.PeerAt(ordinal) : null;

    /// <summary>A request to that peer has ended, and teaches where the session is.</summary>
    public void Bind(int session, string peer)
    {
        _zone.Table.TryFind(Key(session), out var before);
        _zone.Peers.TryGetOrdinal(peer, out var ordinal);
        _zone.Table.Learn(Key(session), ordinal, mayCreate: true, before);
    }

    /// <summary>A request to the session's own peer after so long a time that the store is to be told.</summary>
    public void Use(int session)
    {
        if (PeerOf(session) is not { } peer) return;

        Time.Advance(TimeSpan.FromMinutes(5));
        Bind(session, peer);
    }

    public void UseAfter(int session, TimeSpan unused)
    {
        Time.Advance(unused);
        Bind(session, PeerOf(session)!);
        Settle();
    }

    public Task<bool> FetchAsync(int session) => _shared.FetchAsync(Key(session)).AsTask();

    /// <summary>The peer is no more.</summary>
    public void Forget(string peer) => _zone.Peers.Release(peer, static () => false);

    public bool Knows(string peer) => _zone.Peers.TryGetCurrent(peer, out _);

    public void Send()
    {
        if (_writing.IsCompleted) _writing = Sharing.WriteBatchAsync();
    }

    /// <summary>Writes until nothing waits any more.</summary>
    public void Settle()
    {
        for (var i = 0; i < 100 && (Sharing.Pending > 0 || !_writing.IsCompleted || Store.Announcements.Count > 0); i++)
        {
            Send();
            Store.Deliver();
            if (!_writing.Wait(TimeSpan.FromSeconds(10))) throw new TimeoutException("a batch that was answered never ended");
        }
    }

    /// <summary>Offers while the store answers, for as long as it takes.</summary>
    public async Task OfferAsync()
    {
        var offering = Sharing.ReofferAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 100 && !offering.IsCompleted; i++)
        {
            Settle();
            Time.Advance(TimeSpan.FromMilliseconds(50));
        }

        await offering;
        Settle();
    }

    /// <summary>A probe finds the store whole after whatever failed.</summary>
    public void Probe()
    {
        Time.Advance(TimeSpan.FromSeconds(10));
        Sharing.ProbeAsync().GetAwaiter().GetResult();
    }

    public void Done(SharingOperation operation, SharingOutcome outcome, TimeSpan duration)
    {
        lock (Seen) Seen.Add((operation, outcome));
    }

    public void Conflict() => Conflicts++;

    public void Adopted()
    {
    }

    public void Away(string part, string reason) => States.Add(part + reason);

    public void Back(string part) => States.Add(part + "back");

    public void Unusable(string reason) => States.Add(reason);
}
