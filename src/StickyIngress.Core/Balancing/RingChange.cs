using System.Collections.Immutable;
using System.Runtime.InteropServices;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Core.Balancing;

/// <summary>What is different about the servers of a ring: those that stay keep their numbers, new ones get free ones.</summary>
internal sealed class RingChange
{
    private readonly Dictionary<string, int> _previous;
    private readonly List<int> _weights;
    private readonly Stack<int> _free;

    public RingChange(Dictionary<string, int> previous, int[] previousWeights)
    {
        (_previous, Numbers) = (previous, previous);
        _weights = [.. new int[previousWeights.Length]];
        _free = new(Enumerable.Range(0, previousWeights.Length).Where(number => previousWeights[number] == 0));
    }

    /// <summary>Weights by number; 0: the server is gone.</summary>
    public IReadOnlyList<int> Weights => _weights;

    public List<(string Text, int Number)> Added { get; } = [];

    /// <summary>Numbers by text.</summary>
    public Dictionary<string, int> Numbers { get; private set; }

    /// <summary>The number of each peer's server.</summary>
    public int[] Number(ImmutableArray<Peer> peers, int divisor)
    {
        var numbers = new int[peers.Length];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = _previous.TryGetValue(peers[i].Server, out var number) ? number : -1;
            if (numbers[i] >= 0) SetWeight(numbers[i], KetamaRing.Weight(peers[i], divisor));
        }

        Forget();
        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] >= 0) continue;

            numbers[i] = NumberOfNew(peers[i].Server);
            SetWeight(numbers[i], KetamaRing.Weight(peers[i], divisor));
        }

        return numbers;
    }

    /// <summary>The weight that is to be removed and added.</summary>
    public long ChangedWeight(int[] before)
    {
        var changed = 0L;
        for (var i = 0; i < _weights.Count; i++)
        {
            var old = i < before.Length ? before[i] : 0;
            if (old != _weights[i]) changed += old + _weights[i];
        }

        return changed;
    }

    /// <summary>A server listed several times has the points of its greatest weight, which hold those of the others.</summary>
    private void SetWeight(int number, int weight) => _weights[number] = Math.Max(_weights[number], weight);

    private void Forget()
    {
        foreach (var (text, number) in _previous)
        {
            if (_weights[number] > 0) continue;

            if (ReferenceEquals(Numbers, _previous)) Numbers = new(_previous);
            Numbers.Remove(text);
        }
    }

    private int NumberOfNew(string text)
    {
        if (ReferenceEquals(Numbers, _previous)) Numbers = new(_previous);
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(Numbers, text, out var known);
        if (known) return number;

        if (!_free.TryPop(out number))
        {
            number = _weights.Count;
            _weights.Add(0);
        }

        Added.Add((text, number));
        return number;
    }
}
