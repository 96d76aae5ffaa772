using System.Text;
using Microsoft.AspNetCore.Http;
using StickyIngress.Proxy.Clients.Http1;
using StickyIngress.Proxy.Forwarding.Http1;

namespace StickyIngress.Proxy.Tests.Clients;

/// <summary>A response's headers with those of a peer's response that were passed on as a whole.</summary>
public sealed class ResponseFieldsTests
{
    private const string Peers = "A=1; B=2,4; Date=now";

    [Fact]
    public void Nobody_asks_for_what_is_passed()
    {
        var fields = Passed();
        fields.ContentLength = 5;
        fields.Append("New", "6");
        fields.Append("New", "7");

        Assert.Equal("A: 1\r\nB: 2\r\nDate: now\r\nB: 4\r\n", Encoding.Latin1.GetString(fields.Passed!.Lines));
        Assert.True(fields.Passed.HasDate);
        Assert.Equal(["Content-Length", "New"], fields.Further.ToArray().Select(static one => one.Key));
        Assert.Equal($"{Peers}; Content-Length=5; New=6,7", Text(fields));
    }

    [Fact]
    public void Says_the_same_of_what_did_not_stay_whole()
    {
        Assert.Null(Passed(mayStayWhole: false).Passed);
        Assert.Equal(Peers, Text(Passed(mayStayWhole: false)));
    }

    [Fact]
    public void Reads_what_is_passed()
    {
        Assert.Equal("2,4", Passed()["b"].ToString());
        Assert.Equal(3, Passed().Count);
        Assert.True(Passed().ContainsKey("DATE"));
        Assert.False(Passed().ContainsKey("Connection"));
        Assert.Equal(["A", "B", "Date"], Passed().Keys);
    }

    [Theory]
    [InlineData("set", "A=1; B=x; Date=now; C=3")]
    [InlineData("append", "A=1; B=2,4,x; Date=now; C=3")]
    [InlineData("remove", "A=1; Date=now; C=3")]
    [InlineData("clear", "")]
    public void Changes_what_is_passed(string change, string expected)
    {
        var fields = Passed();
        fields["C"] = "3";
        switch (change)
        {
            case "set":
                fields["b"] = "x";
                break;
            case "append":
                fields.Append("b", "x");
                break;
            case "remove":
                Assert.True(fields.Remove("b"));
                break;
            default:
                fields.Clear();
                break;
        }

        Assert.Equal(expected, Text(fields));
        Assert.Null(fields.Passed);
    }

    private static ResponseFields Passed(bool mayStayWhole = true)
    {
        var head = new ResponseHead();
        head.Begin();
        Assert.Equal(ParseStep.Complete, head.Read("HTTP/1.1 200 OK\r\nA: 1\r\nConnection: keep-alive\r\nB: 2\r\nContent-Length: 5\r\nDate: now\r\nB: 4\r\n\r\n"u8));
        var fields = new ResponseFields();
        fields.Pass(head.Response, mayStayWhole);
        return fields;
    }

    private static string Text(ResponseFields fields) => string.Join("; ", fields.Select(static one => $"{one.Key}={one.Value}"));
}
