using CsCheck;
using StickyIngress.Import;

namespace StickyIngress.Tests.Import;

public sealed class NginxTokenizerTests
{
    [Theory]
    [InlineData("a b;", "a b ;")]
    [InlineData("a#b c; # d\ne;", "a#b c ; e ;")]
    [InlineData("a \"b c\" 'd;{';", "a <b c> d;{ ;")]
    [InlineData("a ${b}c {", "a ${b}c {")]
    [InlineData("a ~^\\d\\.x$ b\\;c;", "a ~^\\d\\.x$ b\\;c ;")]
    [InlineData("a \"b\\\"c\\\\\\n\";", "a <b\"c\\\n> ;")]
    [InlineData("a b}c; }", "a b}c ; }")]
    [InlineData("a b\"c;", "a b\"c ;")]
    public void Words_are_split_as_nginx_splits_them(string text, string expected)
    {
        var words = Tokens(text).Select(token => token.Text.Contains(' ') || token.Text.Contains('\n') ? $"<{token.Text}>" : token.Text);

        Assert.Equal(expected, string.Join(' ', words));
    }

    [Theory]
    [InlineData("a \"b", "unexpected end of file, expecting \";\" or \"}\"", 1)]
    [InlineData("\n\"a\"b;", "unexpected \"b\"", 2)]
    public void What_nginx_cannot_read_is_told_with_its_line(string text, string message, int line)
    {
        var e = Assert.Throws<NginxSyntaxException>(() => Tokens(text).Count);

        Assert.Equal((message, line), (e.Message, e.Line));
    }

    [Fact]
    public void Any_text_is_read_or_refused_and_never_throws_anything_else() =>
        Gen.String[Gen.Char["ab;{}\"'\\$# \n~=/."], 0, 60].Sample(text =>
        {
            try
            {
                return Tokens(text).TrueForAll(token => token.Line >= 1 && token.Line <= 1 + text.Count(c => c == '\n'));
            }
            catch (NginxSyntaxException e)
            {
                return e.Line >= 1;
            }
        });

    [Fact]
    public void The_command_ends_with_a_message_whatever_the_file_holds() =>
        Gen.String[Gen.Char["ab;{}\"' \n"], 0, 30].Select(noise => $"upstream u {{ server 127.0.0.1; }} server {{ location / {{ proxy_pass http://u; }} }} {noise}").Sample(text =>
            Importing.RunAsync(text).GetAwaiter().GetResult().Said.Length > 0, iter: 200, threads: 1);

    private static List<NginxToken> Tokens(string text)
    {
        var (tokenizer, tokens) = (new NginxTokenizer(text, "nginx.conf"), new List<NginxToken>());
        for (var token = tokenizer.Next(); token.Kind != NginxTokenKind.End; token = tokenizer.Next()) tokens.Add(token);
        return tokens;
    }
}
