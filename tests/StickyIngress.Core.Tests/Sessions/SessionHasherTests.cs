using System.Buffers.Binary;
using System.Text;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Tests.Sessions;

public sealed class SessionHasherTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Theory] // the authors' reference vectors: key 00..0f, input 00, 01, ... of this length
    [InlineData(0, "a3817f04ba25a8e66df67214c7550293")]
    [InlineData(1, "da87c1d86b99af44347659119b22fc45")]
    [InlineData(2, "8177228da4a45dc7fca38bdef60affe4")]
    [InlineData(3, "9c70b60c5267a94e5f33b6b02985ed51")]
    [InlineData(7, "a1f1ebbed8dbc153c0b84aa61ff08239")]
    public void SipHash_gives_the_reference_answers(int length, string expected)
    {
        byte[] input = [.. Enumerable.Range(0, length).Select(i => (byte)i)];

        var key = SipHash.Hash(0x0706050403020100, 0x0f0e0d0c0b0a0908, input);

        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, key.High);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), key.Low);
        Assert.Equal(expected, Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(5_000)]
    public void Characters_hash_as_their_utf8_bytes(int length)
    {
        var hasher = new SessionHasher(Secret, "sessions");
        var id = new string('ü', length);

        Assert.Equal(hasher.Hash(Encoding.UTF8.GetBytes(id)), hasher.Hash(id));
    }

    [Fact]
    public void One_id_has_another_key_in_another_zone_and_under_another_secret()
    {
        SessionKey[] keys =
        [
            new SessionHasher(Secret, "a").Hash("id"),
            new SessionHasher(Secret, "b").Hash("id"),
            new SessionHasher(new byte[32], "a").Hash("id"),
        ];

        Assert.Equal(3, keys.Distinct().Count());
    }

    [Fact]
    public void A_short_secret_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SessionHasher(new byte[15], "a"));

    [Fact]
    public void Hashing_allocates_nothing()
    {
        var hasher = new SessionHasher(Secret, "a");
        var id = new string('x', 40);
        hasher.Hash(id);

        var before = GC.GetAllocatedBytesForCurrentThread();
        hasher.Hash(id);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
