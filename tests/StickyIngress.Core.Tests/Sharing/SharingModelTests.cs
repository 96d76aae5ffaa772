using CsCheck;

namespace StickyIngress.Core.Tests.Sharing;

/// <summary>
/// Two replicas and a store that loses, delays and reorders: whatever order things happen in, once the store works again
/// and the sessions are used, all agree.
/// </summary>
public sealed class SharingModelTests
{
    private const int Sessions = 3;

    private static readonly Gen<Step> AnyStep = Gen.Select(
        Gen.Enum<Act>(), Gen.Int[0, 1], Gen.Int[0, Sessions - 1], Gen.Int[0, 9], (act, replica, session, which) => new Step(act, replica, session, which));

    private enum Act
    {
        Bind,
        Move,
        Use,
        Fetch,
        Send,
        Answer,
        LoseCall,
        LoseAnswer,
        Hear,
        LoseAnnouncement,
        Probe,
        Flush,
        ForgetPeer,
    }

    [Fact]
    public void Replicas_agree_in_the_end() => AnyStep.Array[0, 60].Sample(steps =>
    {
        var (store, replicas) = Start();

        foreach (var step in steps) Take(step, store, replicas);
        Recover(replicas);
        foreach (var replica in replicas) replica.Settle();
        for (var round = 0; round < 2; round++)
        {
            foreach (var replica in replicas)
            {
                for (var session = 0; session < Sessions; session++) replica.Use(session);
                replica.Settle();
            }
        }

        foreach (var replica in replicas) replica.Settle();
        for (var session = 0; session < Sessions; session++) AssertAgreed(session, replicas);
    }, iter: 20_000);

    [Fact]
    public void First_requests_on_both_replicas_end_on_one_peer_without_any_further_one() => AnyStep.Array[0, 40].Sample(steps =>
    {
        var (store, replicas) = Start();

        var lossless = steps.Where(step => step.Act is Act.Bind or Act.Fetch or Act.Send or Act.Answer or Act.Hear);
        foreach (var step in lossless) Take(step with { Which = 0 }, store, replicas, once: true);
        for (var i = 0; i < 2; i++)
            foreach (var replica in replicas) replica.Settle();

        for (var session = 0; session < Sessions; session++) AssertAgreed(session, replicas);
    }, iter: 20_000);

    [Fact]
    public void The_last_move_of_the_only_replica_that_moves_sessions_stands() => AnyStep.Array[0, 40].Sample(steps =>
    {
        var (store, replicas) = Start();

        var ofOneMover = steps.Where(step => step.Act is Act.Send or Act.Answer or Act.LoseCall or Act.LoseAnswer or Act.Hear or Act.LoseAnnouncement or Act.Probe
            || (step.Act == Act.Move ? step.Replica == 0 : step.Act is Act.Use or Act.Fetch && step.Replica == 1));
        foreach (var step in ofOneMover) Take(step, store, replicas);
        Recover(replicas);
        var moved = Enumerable.Range(0, Sessions).Select(replicas[0].PeerOf).ToArray();
        for (var round = 0; round < 2; round++)
        {
            foreach (var replica in replicas)
            {
                replica.Settle();
                for (var session = 0; session < Sessions; session++) replica.Use(session);
            }
        }

        foreach (var replica in replicas) replica.Settle();
        for (var session = 0; session < Sessions; session++)
        {
            Assert.Equal(moved[session], replicas[0].PeerOf(session));
            AssertAgreed(session, replicas);
        }
    }, iter: 20_000);

    [Fact]
    public void What_was_learned_reaches_the_store_without_any_further_request_whatever_was_lost_on_the_way() => AnyStep.Array[0, 40].Sample(steps =>
    {
        var (store, replicas) = Start();

        var learning = steps.Where(step => step.Act is Act.Bind or Act.Move or Act.Send or Act.Answer or Act.LoseCall or Act.LoseAnswer or Act.Probe);
        foreach (var step in learning) Take(step, store, replicas);
        Recover(replicas);
        foreach (var replica in replicas) replica.Settle();

        var learned = Enumerable.Range(0, Sessions).Where(session => replicas.Any(replica => replica.PeerOf(session) is not null));
        Assert.Equal(learned.Select(Replica.Key), store.Values.Keys.Select(key => key.Session).OrderBy(key => key.High));
    }, iter: 20_000);

    private static (StoreContent Store, Replica[] Replicas) Start()
    {
        SynchronizationContext.SetSynchronizationContext(null); // what is answered goes on at once
        var store = new StoreContent();
        return (store, [new(store), new(store)]);
    }

    /// <summary>What is underway ends, and nothing is lost any more.</summary>
    private static void Recover(Replica[] replicas)
    {
        foreach (var replica in replicas) replica.Settle();
        foreach (var replica in replicas) replica.Probe();
    }

    private static void Take(Step step, StoreContent store, Replica[] replicas, bool once = false)
    {
        var replica = replicas[step.Replica];
        var calls = replica.Store.Calls;
        var announcements = replica.Store.Announcements;
        var peer = Replica.AllPeers[(step.Replica + step.Session + (once ? 0 : step.Which)) % Replica.AllPeers.Length];
        switch (step.Act)
        {
            case Act.Bind when replica.PeerOf(step.Session) is null:
            case Act.Move:
                replica.Bind(step.Session, peer);
                break;
            case Act.Use:
                replica.Use(step.Session);
                break;
            case Act.Fetch:
                _ = replica.FetchAsync(step.Session);
                break;
            case Act.Send:
                replica.Send();
                break;
            case Act.Answer when calls.Count > 0:
                calls[step.Which % calls.Count].Run(apply: true, answer: true);
                break;
            case Act.LoseAnswer when calls.Count > 0:
                calls[step.Which % calls.Count].Run(apply: true, answer: false);
                break;
            case Act.LoseCall when calls.Count > 0:
                calls[step.Which % calls.Count].Run(apply: false, answer: false);
                break;
            case Act.Hear when announcements.Count > 0:
                replica.Store.Hear(step.Which % announcements.Count);
                break;
            case Act.LoseAnnouncement when announcements.Count > 0:
                announcements.RemoveAt(step.Which % announcements.Count);
                break;
            case Act.Probe:
                replica.Probe();
                break;
            case Act.Flush when step.Which == 0:
                store.Values.Clear();
                break;
            case Act.ForgetPeer when step.Which == 0:
                foreach (var one in replicas) one.Forget(Replica.AllPeers[2]);
                break;
        }
    }

    private static void AssertAgreed(int session, Replica[] replicas)
    {
        var peers = replicas.Select(replica => replica.PeerOf(session)).OfType<string>().Where(peer => replicas[0].Knows(peer)).Distinct();

        Assert.True(peers.Count() <= 1, $"session {session} is bound to {string.Join(" and ", peers)}");
    }

    private sealed record Step(Act Act, int Replica, int Session, int Which);
}
