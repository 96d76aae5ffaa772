using System.Runtime.CompilerServices;

namespace StickyIngress.Core.Sessions;

/*
 * The sessions of one shard and the index over them.
 *
 * Storage:     entries lie densely in chunks. A removed one is replaced by the last, so there are no holes, the store
 *              gives chunks back as it shrinks, and walking all entries is walking the chunks.
 * Index:       linear hashing (Litwin 1980): two buckets an entry, added and taken away one at a time as entries come
 *              and go. There is no moment when all is rehashed, however large the store grows.
 * Cost:        40 bytes for the entry and 8 for its buckets. A lookup touches one bucket and about 1.25 entries.
 * Concurrency: one writer at a time (the shard's lock). Readers take no lock: the sequence is odd while links move, and
 *              a reader that saw it odd or changed starts again. Refreshing an entry moves nothing that readers follow.
 */
internal sealed class SessionStore
{
    private const int EntryShift = 9;
    private const int EntriesPerChunk = 1 << EntryShift;
    private const int HeadShift = 10;
    private const int HeadsPerChunk = 1 << HeadShift;
    private const int BucketsPerEntry = 2;

    private SessionEntry[]?[] _chunks = [];
    private int[]?[] _heads = [];
    private int _buckets;
    private int _mask; // the power of two that holds all buckets, less one
    private long _sequence;

    public int Count { get; private set; }

    /// <summary>Bytes of memory held, as the runtime lays arrays out.</summary>
    public long Bytes { get; private set; }

    public ref SessionEntry this[int position] =>
        ref _chunks[position >> EntryShift]![position & (EntriesPerChunk - 1)];

    /// <summary>Finds without a lock; what it gives was true together at one moment.</summary>
    public bool TryRead(in SessionKey key, out int ordinal, out long lastUsed)
    {
        var spin = new SpinWait();
        while (true)
        {
            var sequence = Volatile.Read(ref _sequence);
            if ((sequence & 1) == 0)
            {
                var found = TryProbe(key, sequence, out ordinal, out lastUsed);
                Volatile.ReadBarrier();
                if (Volatile.Read(ref _sequence) == sequence) return found;
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Position of a key, or -1. Only under the shard's lock.</summary>
    public int Find(in SessionKey key)
    {
        if (_buckets == 0) return -1;

        var link = Head(Bucket(key));
        while (link != 0 && this[link - 1].Key != key) link = this[link - 1].Chain;
        return link - 1;
    }

    /// <summary>Adds an entry whose key is not here and gives its position. Only under the shard's lock.</summary>
    public int Add(in SessionEntry entry)
    {
        // What may fail for want of memory comes before readers are held off.
        EnsureChunk(Count >> EntryShift);
        EnsureHeads((_buckets + BucketsPerEntry - 1) >> HeadShift);

        BeginWrite();
        var position = Count++;
        while (_buckets < Count * BucketsPerEntry) AddBucket();

        ref var head = ref Head(Bucket(entry.Key));
        this[position] = entry;
        this[position].Chain = head;
        head = position + 1;
        EndWrite();
        return position;
    }

    /// <summary>
    /// Removes the entry at a position. The last entry takes its place: the answer is where that one was, which is the
    /// position itself when nothing moved. Only under the shard's lock.
    /// </summary>
    public int Remove(int position)
    {
        BeginWrite();
        ref var removed = ref this[position];
        LinkTo(position) = removed.Chain;

        var last = --Count;
        if (last != position)
        {
            LinkTo(last) = position + 1;
            removed = this[last];
        }

        // Half a step later than it grew, so that a store at the edge does not give and take by turns.
        while (_buckets > Math.Max(1, Count * 2 * BucketsPerEntry)) RemoveBucket();
        EndWrite();

        ReleaseChunks();
        return last;
    }

    private bool TryProbe(in SessionKey key, long sequence, out int ordinal, out long lastUsed)
    {
        (ordinal, lastUsed) = (-1, 0);
        var chunks = _chunks;
        var link = HeadOrNone(Bucket(key));
        while (link != 0)
        {
            // Links may be half moved: nothing that is read is followed before the sequence has been looked at again.
            var chunk = (link - 1) >> EntryShift;
            if ((uint)chunk >= (uint)chunks.Length || chunks[chunk] is not { } entries) return false;
            if (Volatile.Read(ref _sequence) != sequence) return false;

            ref readonly var entry = ref entries[(link - 1) & (EntriesPerChunk - 1)];
            if (entry.Key == key)
            {
                (ordinal, lastUsed) = (entry.Ordinal, entry.LastUsed);
                return true;
            }

            link = entry.Chain;
        }

        return false;
    }

    private int HeadOrNone(int bucket)
    {
        var heads = _heads;
        var chunk = bucket >> HeadShift;
        return (uint)chunk < (uint)heads.Length && heads[chunk] is { } links ? links[bucket & (HeadsPerChunk - 1)] : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Bucket(in SessionKey key)
    {
        var mask = _mask;
        var bucket = (int)key.Low & mask;
        return bucket < _buckets ? bucket : bucket & (mask >> 1);
    }

    private ref int Head(int bucket) => ref _heads[bucket >> HeadShift]![bucket & (HeadsPerChunk - 1)];

    /// <summary>The link that leads to a position: its bucket's head or the entry before it.</summary>
    private ref int LinkTo(int position)
    {
        ref var link = ref Head(Bucket(this[position].Key));
        while (link != position + 1) link = ref this[link - 1].Chain;
        return ref link;
    }

    private void AddBucket()
    {
        var added = _buckets++;
        if (added > _mask) _mask = (_mask << 1) | 1;
        if (added == 0) return;

        // What belongs to the new bucket has waited in the one whose number lacks the top bit.
        ref var link = ref Head(added & (_mask >> 1));
        ref var head = ref Head(added);
        while (link != 0)
        {
            ref var entry = ref this[link - 1];
            if (Bucket(entry.Key) == added)
                (link, head, entry.Chain) = (entry.Chain, link, head);
            else
                link = ref entry.Chain;
        }
    }

    private void RemoveBucket()
    {
        var removed = _buckets - 1;
        ref var link = ref Head(removed & (_mask >> 1));
        while (link != 0) link = ref this[link - 1].Chain;

        (link, Head(removed)) = (Head(removed), 0);
        _buckets = removed;
        if (_buckets <= (_mask >> 1) + 1) _mask >>= 1;
    }

    private void BeginWrite()
    {
        Volatile.Write(ref _sequence, _sequence + 1);
        Volatile.WriteBarrier();
    }

    private void EndWrite() => Volatile.Write(ref _sequence, _sequence + 1);

    private void EnsureChunk(int chunk)
    {
        EnsureSlot(ref _chunks, chunk);
        if (_chunks[chunk] is not null) return;

        Volatile.Write(ref _chunks[chunk], new SessionEntry[EntriesPerChunk]);
        Bytes += ChunkBytes;
    }

    private void EnsureHeads(int chunk)
    {
        EnsureSlot(ref _heads, chunk);
        if (_heads[chunk] is not null) return;

        Volatile.Write(ref _heads[chunk], new int[HeadsPerChunk]);
        Bytes += HeadBytes;
    }

    private void EnsureSlot<T>(ref T[] directory, int slot)
    {
        if (slot < directory.Length) return;

        var larger = new T[Math.Max(4, 2 * slot)];
        directory.CopyTo(larger, 0);
        Bytes += (long)(larger.Length - directory.Length) * IntPtr.Size;
        Volatile.Write(ref directory, larger);
    }

    private void ReleaseChunks()
    {
        var spare = (Count + (EntriesPerChunk / 2) + EntriesPerChunk - 1) >> EntryShift;
        if (spare < _chunks.Length && _chunks[spare] is not null)
        {
            _chunks[spare] = null;
            Bytes -= ChunkBytes;
        }

        var spareHeads = (_buckets + BucketsPerEntry + HeadsPerChunk - 1) >> HeadShift;
        if (spareHeads < _heads.Length && _heads[spareHeads] is not null)
        {
            _heads[spareHeads] = null;
            Bytes -= HeadBytes;
        }
    }

    private static long ChunkBytes => ArrayHeader + ((long)EntriesPerChunk * Unsafe.SizeOf<SessionEntry>());

    private static long HeadBytes => ArrayHeader + (HeadsPerChunk * sizeof(int));

    private static int ArrayHeader => 3 * IntPtr.Size;
}
