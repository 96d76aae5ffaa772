using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;

namespace StickyIngress.Control.Resolving;

/// <summary>Looks a name up once: the addresses of both families, or SRV records and the addresses of their targets.</summary>
/// <param name="former">What was known so far, of which what cannot be asked for now is kept.</param>
internal sealed class NameLookup(NameQuery query, NameServers servers, ImmutableArray<ResolvedAddress> former)
{
    private const int MostAliases = 16;

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Absent = TimeSpan.FromSeconds(10);

    /// <summary>What timers take; a TTL may be longer.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    public Task<Looked> RunAsync(CancellationToken cancellationToken) =>
        query.Service is null ? LookUpHostAsync(cancellationToken) : LookUpServiceAsync(cancellationToken);

    private async Task<Looked> LookUpHostAsync(CancellationToken cancellationToken)
    {
        var host = await HostAsync(query.QuestionName, former.Select(known => known.Address), cancellationToken);
        return host.Outcome == QuestionOutcome.NoError
            ? new([.. host.Addresses.Select(address => new ResolvedAddress(address, null))], host.Outcome, host.Next)
            : new(former, host.Outcome, host.Next);
    }

    private async Task<Looked> LookUpServiceAsync(CancellationToken cancellationToken)
    {
        var (outcome, answers, next) = await RecordsAsync<SrvRecord>(query.QuestionName, QueryType.SRV, cancellationToken);

        // A target that is the root says that there is no such service (RFC 2782).
        var records = answers.Where(record => record.Target.Value != DnsString.RootLabel.Value).ToArray();
        if (outcome != QuestionOutcome.NoError) return new(former, outcome, next);
        if (records.Length == 0) return new(former, QuestionOutcome.NxDomain, Next(QuestionOutcome.NxDomain));

        var targets = await TargetsAsync(records, cancellationToken);
        var worst = targets.Values.Select(target => target.Next).Append(next).Min();
        if (targets.Values.All(target => target.Outcome != QuestionOutcome.NoError)) return new(former, targets.Values.First().Outcome, worst);

        var found = records.OrderBy(record => record.Priority).SelectMany(record =>
        {
            var service = new ServiceRecord(Text(record.Target), record.Port, record.Priority, record.Weight);
            return targets[service.Target].Addresses.Select(address => new ResolvedAddress(address, service));
        });
        return new([.. found], QuestionOutcome.NoError, worst);
    }

    /// <summary>The addresses of each target; of one that cannot be had now those that it had.</summary>
    private async Task<Dictionary<string, Host>> TargetsAsync(SrvRecord[] records, CancellationToken cancellationToken)
    {
        var names = records.Select(record => Text(record.Target)).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var hosts = await Task.WhenAll(names.Select(name => HostAsync(
            name, former.Where(known => string.Equals(known.Service?.Target, name, StringComparison.OrdinalIgnoreCase)).Select(known => known.Address),
            cancellationToken)));
        return names.Zip(hosts).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Both families at once. That one of them has no addresses is no failure, and where only one can be had, the other stays as it was.
    /// </summary>
    private async Task<Host> HostAsync(string name, IEnumerable<IPAddress> known, CancellationToken cancellationToken)
    {
        var asked = new List<Task<Family>>(2);
        if (query.Resolver.Ipv4) asked.Add(FamilyAsync<ARecord>(name, QueryType.A, AddressFamily.InterNetwork, cancellationToken));
        if (query.Resolver.Ipv6) asked.Add(FamilyAsync<AaaaRecord>(name, QueryType.AAAA, AddressFamily.InterNetworkV6, cancellationToken));
        var families = await Task.WhenAll(asked);

        var failed = families.Where(family => family.Outcome is not (QuestionOutcome.NoError or QuestionOutcome.NxDomain)).ToArray();
        var good = families.Where(family => family.Outcome == QuestionOutcome.NoError).ToArray();
        var before = known.Distinct().ToArray();
        if (good.Length == 0)
        {
            var outcome = failed.Length > 0 ? failed[0].Outcome : QuestionOutcome.NxDomain;
            return new(before, outcome, Next(outcome));
        }

        var kept = before.Where(address => failed.Any(family => family.Kind == address.AddressFamily));
        return new([.. good.SelectMany(family => family.Addresses), .. kept], QuestionOutcome.NoError, good.Concat(failed).Min(family => family.Next));
    }

    private async Task<Family> FamilyAsync<T>(string name, QueryType type, AddressFamily kind, CancellationToken cancellationToken)
        where T : AddressRecord
    {
        var (outcome, records, next) = await RecordsAsync<T>(name, type, cancellationToken);
        return new(kind, [.. records.Select(record => record.Address)], outcome, next);
    }

    /// <summary>The records of a name or of what it is an alias of; a name without any counts as one that does not exist.</summary>
    private async Task<(QuestionOutcome Outcome, T[] Records, TimeSpan Next)> RecordsAsync<T>(
        string text, QueryType type, CancellationToken cancellationToken)
        where T : DnsResourceRecord
    {
        if (!TryParse(text, out var name)) return (QuestionOutcome.NxDomain, [], Next(QuestionOutcome.NxDomain));

        var ttl = int.MaxValue;
        for (var asked = 0; asked < MostAliases; asked++)
        {
            var (outcome, answers) = await servers.AskAsync(new DnsQuestion(name, type), cancellationToken);
            if (outcome != QuestionOutcome.NoError) return (outcome, [], Next(outcome));

            var (end, aliasTtl) = Unalias(name, answers);
            var records = answers.OfType<T>().Where(record => Same(record.DomainName, end)).ToArray();
            ttl = Math.Min(ttl, aliasTtl);
            if (records.Length > 0) return (outcome, records, Next(Math.Min(ttl, records.Min(record => record.InitialTimeToLive))));
            if (Same(end, name)) return (QuestionOutcome.NxDomain, [], Next(QuestionOutcome.NxDomain));

            name = end;
        }

        return (QuestionOutcome.Other, [], Next(QuestionOutcome.Other));
    }

    /// <summary>Where the chain of aliases in an answer leads.</summary>
    private static (DnsString Name, int TimeToLive) Unalias(DnsString name, IReadOnlyList<DnsResourceRecord> answers)
    {
        var ttl = int.MaxValue;
        for (var hops = 0; hops < answers.Count; hops++)
        {
            if (answers.OfType<CNameRecord>().FirstOrDefault(record => Same(record.DomainName, name)) is not { } alias) break;

            (name, ttl) = (alias.CanonicalName, Math.Min(ttl, alias.InitialTimeToLive));
        }

        return (name, ttl);
    }

    private TimeSpan Next(int ttl) => Shorter((query.Resolver.Valid ?? TimeSpan.FromSeconds(Math.Max(0, ttl))) + Grace);

    private TimeSpan Next(QuestionOutcome outcome) => Shorter(
        outcome == QuestionOutcome.NxDomain ? (query.Resolver.Valid ?? Absent) + Grace
        : query.Resolver.Timeout > Grace ? query.Resolver.Timeout : Grace);

    private static TimeSpan Shorter(TimeSpan wait) => wait < Longest ? wait : Longest;

    private static bool TryParse(string text, out DnsString name)
    {
        try
        {
            name = DnsString.Parse(text);
            return true;
        }
        catch (ArgumentException)
        {
            name = DnsString.RootLabel;
            return false;
        }
    }

    private static bool Same(DnsString one, DnsString other) => string.Equals(one.Value, other.Value, StringComparison.OrdinalIgnoreCase);

    private static string Text(DnsString name) => name.Value.TrimEnd('.');

    private sealed record Family(AddressFamily Kind, IPAddress[] Addresses, QuestionOutcome Outcome, TimeSpan Next);

    private sealed record Host(IReadOnlyList<IPAddress> Addresses, QuestionOutcome Outcome, TimeSpan Next);
}

/// <summary>What a lookup came to.</summary>
/// <param name="Addresses">What to use from now on; after a failure what was known.</param>
/// <param name="Next">When to look again.</param>
internal sealed record Looked(ImmutableArray<ResolvedAddress> Addresses, QuestionOutcome Outcome, TimeSpan Next);
