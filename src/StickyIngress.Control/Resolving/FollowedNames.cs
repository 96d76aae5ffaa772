using System.Collections.Immutable;
using System.Net.Sockets;
using DnsClient;

namespace StickyIngress.Control.Resolving;

/// <summary>
/// Follows the names that are in use: each is looked up when a server first has it and again whenever its answer expires, until no
/// server has it. <paramref name="changed"/> is called when an answer says something new.
/// </summary>
internal sealed class FollowedNames(IEnumerable<IResolverObserver> observers, TimeProvider time, Action changed, CancellationToken stopping)
{
    private readonly LookupClient _client = new(new LookupClientOptions { AutoResolveNameServers = false, UseCache = false });
    private readonly ResolverStatistics _statistics = new(observers);
    private readonly Lock _gate = new();
    private readonly Dictionary<NameQuery, Following> _followed = [];
    private ImmutableDictionary<NameQuery, NameAnswer> _answers = ImmutableDictionary<NameQuery, NameAnswer>.Empty;

    /// <summary>What is known of each name that was answered or not; one that was not looked up yet is missing.</summary>
    public ImmutableDictionary<NameQuery, NameAnswer> Answers => Volatile.Read(ref _answers);

    /// <summary>
    /// These names are in use, and no others. Ends when each of which nothing is known was looked up once, or after the patience: an answer
    /// that comes later is told by the callback.
    /// </summary>
    public async Task UseAsync(IReadOnlySet<NameQuery> names, TimeSpan patience)
    {
        var unknown = Follow(names);
        if (unknown.Count == 0) return;

        try
        {
            await Task.WhenAll(unknown).WaitAsync(patience, time, stopping);
        }
        catch (TimeoutException)
        {
            // Nobody else waits for a slow answer.
        }
    }

    /// <summary>The first lookups of the names of which nothing is known.</summary>
    private List<Task> Follow(IReadOnlySet<NameQuery> names)
    {
        Following[] left;
        var added = new List<Following>();
        lock (_gate)
        {
            if (names.SetEquals(_followed.Keys)) return [];

            var answers = _answers.ToBuilder();
            var known = _answers.Where(entry => entry.Value.Addresses.Length > 0).ToLookup(entry => (entry.Key.Host, entry.Key.Service), entry => entry.Value);
            var servers = _followed.Values.DistinctBy(following => following.Servers.Settings)
                .ToDictionary(following => following.Servers.Settings, following => following.Servers);

            left = [.. _followed.Values.Where(following => !names.Contains(following.Name))];
            foreach (var following in left)
            {
                _followed.Remove(following.Name);
                answers.Remove(following.Name);
            }

            foreach (var name in names.Where(name => !_followed.ContainsKey(name)))
            {
                // Another resolver does not know better yet, and there should be no gap.
                if (known[(name.Host, name.Service)].FirstOrDefault() is { } seed) answers[name] = Seed(name, seed);
                if (!servers.TryGetValue(name.Resolver, out var asked))
                    servers.Add(name.Resolver, asked = new(name.Resolver, _client, _statistics, time));

                var following = new Following(name, asked, CancellationTokenSource.CreateLinkedTokenSource(stopping));
                _followed.Add(name, following);
                added.Add(following);
            }

            _statistics.Use(names.Select(name => name.Resolver.StatusZone).OfType<string>());
            Volatile.Write(ref _answers, answers.ToImmutable());
        }

        foreach (var following in left) following.Dispose();
        foreach (var following in added) _ = Task.Run(() => FollowAsync(following), CancellationToken.None);
        return [.. added.Where(following => !Answers.ContainsKey(following.Name)).Select(following => following.LookedUp.Task)];
    }

    /// <summary>What a resolver with other settings said, as far as this one may ask for it.</summary>
    private static NameAnswer Seed(NameQuery name, NameAnswer known) => new(
        [.. known.Addresses.Where(known => known.Address.AddressFamily == AddressFamily.InterNetworkV6 ? name.Resolver.Ipv6 : name.Resolver.Ipv4)], null);

    private async Task FollowAsync(Following following)
    {
        try
        {
            while (true)
            {
                var known = Answers.GetValueOrDefault(following.Name, NameAnswer.None);
                var looked = await new NameLookup(following.Name, following.Servers, known.Addresses).RunAsync(following.Stopping);
                var expired = Task.Delay(looked.Next, time, following.Stopping);
                Tell(following, known, looked);
                following.LookedUp.TrySetResult();
                await expired;
            }
        }
        catch (OperationCanceledException) when (following.Stopping.IsCancellationRequested)
        {
            // Nobody has the name any more, or the process stops.
        }
        finally
        {
            following.LookedUp.TrySetResult();
        }
    }

    private void Tell(Following following, NameAnswer known, Looked looked)
    {
        var answer = looked.Outcome == QuestionOutcome.NoError
            ? known.Then(looked.Addresses)
            : known with { Error = Words(looked.Outcome) };
        lock (_gate)
        {
            if (_followed.GetValueOrDefault(following.Name) != following) return;
            if (_answers.TryGetValue(following.Name, out var told) && told.Equals(answer)) return;

            Volatile.Write(ref _answers, _answers.SetItem(following.Name, answer));
        }

        changed();
    }

    private static string Words(QuestionOutcome outcome) => outcome switch
    {
        QuestionOutcome.NxDomain => "there is no such name, or it has no address (NXDOMAIN)",
        QuestionOutcome.ServFail => "the resolver failed (SERVFAIL)",
        QuestionOutcome.TimedOut => "no resolver answered in time",
        QuestionOutcome.FormErr => "the resolver did not understand the question (FORMERR)",
        QuestionOutcome.Refused => "the resolver refused to answer (REFUSED)",
        _ => "no resolver gave an answer that makes sense",
    };

    /// <summary>One name, whom it is asked of, and what ends it.</summary>
    private sealed class Following(NameQuery name, NameServers servers, CancellationTokenSource stop) : IDisposable
    {
        public NameQuery Name { get; } = name;

        public NameServers Servers { get; } = servers;

        public CancellationToken Stopping { get; } = stop.Token;

        public TaskCompletionSource LookedUp { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            stop.Cancel();
            stop.Dispose();
        }
    }
}
