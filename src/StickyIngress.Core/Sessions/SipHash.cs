using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/*
 * SipHash-2-4 with 128 bits of output, as its authors (Aumasson and Bernstein) define it: two rounds for each 8 bytes,
 * four at each half of the end. Without the key nobody can choose two ids that collide, and a 40-byte id costs tens
 * of nanoseconds, which no hash made for signatures reaches.
 */
internal static class SipHash
{
    public static SessionKey Hash(ulong key0, ulong key1, ReadOnlySpan<byte> bytes)
    {
        var state = new State(key0, key1);
        var length = bytes.Length;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            state.Add(BinaryPrimitives.ReadUInt64LittleEndian(bytes));

        var last = (ulong)length << 56;
        for (var i = 0; i < bytes.Length; i++) last |= (ulong)bytes[i] << (8 * i);
        state.Add(last);
        return state.End();
    }

    [StructLayout(LayoutKind.Auto)]
    private struct State(ulong key0, ulong key1)
    {
        private ulong _v0 = key0 ^ 0x736f6d6570736575;
        private ulong _v1 = key1 ^ 0x646f72616e646f6d ^ 0xee;
        private ulong _v2 = key0 ^ 0x6c7967656e657261;
        private ulong _v3 = key1 ^ 0x7465646279746573;

        public void Add(ulong word)
        {
            _v3 ^= word;
            Round();
            Round();
            _v0 ^= word;
        }

        public SessionKey End()
        {
            _v2 ^= 0xee;
            var first = Half();
            _v1 ^= 0xdd;
            return new SessionKey(first, Half());
        }

        private ulong Half()
        {
            for (var i = 0; i < 4; i++) Round();
            return _v0 ^ _v1 ^ _v2 ^ _v3;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Round()
        {
            _v0 += _v1;
            _v1 = BitOperations.RotateLeft(_v1, 13) ^ _v0;
            _v0 = BitOperations.RotateLeft(_v0, 32);
            _v2 += _v3;
            _v3 = BitOperations.RotateLeft(_v3, 16) ^ _v2;
            _v0 += _v3;
            _v3 = BitOperations.RotateLeft(_v3, 21) ^ _v0;
            _v2 += _v1;
            _v1 = BitOperations.RotateLeft(_v1, 17) ^ _v2;
            _v2 = BitOperations.RotateLeft(_v2, 32);
        }
    }
}
