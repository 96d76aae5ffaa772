namespace StickyIngress.Sync.Tests;

public sealed class StoreAddressTests
{
    [Theory]
    [InlineData("redis://store", "store:6379 ssl=False user= password= db=")]
    [InlineData("valkey://store:7000/2", "store:7000 ssl=False user= password= db=2")]
    [InlineData("rediss://app:p%40ss@store.test", "store.test:6379 ssl=True user=app password=p@ss db=")]
    [InlineData("redis://:secret@[::1]:6380", "[::1]:6380 ssl=False user= password=secret db=")]
    [InlineData("redis://app@10.0.0.1", "10.0.0.1:6379 ssl=False user=app password= db=")]
    [InlineData("one:6379,two:6379,password=x", "one:6379 two:6379 ssl=False user= password=x db=")]
    [InlineData("sentinel:26379,serviceName=main,ssl=true,user=app", "sentinel:26379 ssl=True user=app password= db=")]
    public void Urls_and_lists_are_read(string text, string expected)
    {
        Assert.True(StoreAddress.TryParse(text, out var read, out _));

        var endPoints = string.Join(' ', read.EndPoints.Select(one => one.ToString()!.Replace("Unspecified/", "", StringComparison.Ordinal)));
        Assert.Equal(expected, $"{endPoints} ssl={read.Ssl} user={read.User} password={read.Password} db={read.DefaultDatabase}");
    }

    [Theory]
    [InlineData("http://store", "its scheme is http; it must be redis, rediss, valkey or valkeys")]
    [InlineData("redis://", "it is no URL")]
    [InlineData("redis://store/two", "its database is \"two\"; it must be a number")]
    [InlineData("redis://store?ssl=true", "\"?ssl=true\" is not understood")]
    [InlineData("", "it names no address")]
    [InlineData("store:6379,colour=red", "colour")]
    public void What_is_wrong_is_told(string text, string expected)
    {
        Assert.False(StoreAddress.TryParse(text, out _, out var error));

        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
