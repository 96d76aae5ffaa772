using System.Collections.Immutable;

namespace StickyIngress.Import;

/// <summary>Reads a configuration file and what it includes into one tree of directives.</summary>
internal sealed class NginxParser
{
    private const int DeepestBlock = 64;
    private const int MostFiles = 1000;

    private readonly string _folder;
    private int _files;

    private NginxParser(string folder) => _folder = folder;

    /// <summary>The directives of the file; null with an error among the findings where it cannot be read.</summary>
    public static ImmutableArray<NginxDirective>? Load(string path, ImportFindings findings)
    {
        try
        {
            var folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
            return [.. new NginxParser(folder).ReadFile(path, depth: 0, path, line: 0)];
        }
        catch (NginxSyntaxException e)
        {
            findings.Error(e.File, e.Line, e.Message);
            return null;
        }
    }

    private List<NginxDirective> ReadFile(string path, int depth, string includedBy, int line)
    {
        if (++_files > MostFiles) throw new NginxSyntaxException(includedBy, line, $"more than {MostFiles} files are included");

        try
        {
            return ReadBlock(new(File.ReadAllText(path), path), path, depth, whole: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NginxSyntaxException(includedBy, line, $"cannot read \"{path}\": {e.Message}");
        }
    }

    private List<NginxDirective> ReadBlock(NginxTokenizer tokens, string file, int depth, bool whole)
    {
        var directives = new List<NginxDirective>();
        while (true)
        {
            var token = tokens.Next();
            if (token.Kind == NginxTokenKind.End && whole) return directives;
            if (token.Kind == NginxTokenKind.End) throw tokens.Unexpected("end of file, expecting \"}\"", token.Line);
            if (token.Kind == NginxTokenKind.Close && !whole) return directives;
            if (token.Kind != NginxTokenKind.Word) throw tokens.Unexpected($"\"{token.Text}\"", token.Line);
            if (depth > DeepestBlock) throw new NginxSyntaxException(file, token.Line, $"blocks and includes are nested more than {DeepestBlock} deep");

            var directive = ReadDirective(tokens, token, file, depth);
            if (directive is { Name: "include", Block: null }) Include(directive, directives, depth);
            else directives.Add(directive);
        }
    }

    private NginxDirective ReadDirective(NginxTokenizer tokens, NginxToken name, string file, int depth)
    {
        var arguments = ImmutableArray.CreateBuilder<string>();
        while (true)
        {
            var token = tokens.Next();
            switch (token.Kind)
            {
                case NginxTokenKind.Word:
                    arguments.Add(token.Text);
                    break;
                case NginxTokenKind.Semicolon:
                    return new(name.Text, arguments.ToImmutable(), null, file, name.Line);
                case NginxTokenKind.Open:
                    return new(name.Text, arguments.ToImmutable(), [.. ReadBlock(tokens, file, depth + 1, whole: false)], file, name.Line);
                case NginxTokenKind.Close:
                    throw tokens.Unexpected("\"}\"", token.Line);
                default:
                    throw tokens.Unexpected("end of file, expecting \";\" or \"}\"", token.Line);
            }
        }
    }

    private void Include(NginxDirective include, List<NginxDirective> directives, int depth)
    {
        if (include.Arguments.Length != 1)
            throw new NginxSyntaxException(include.File, include.Line, "invalid number of arguments in \"include\" directive");

        foreach (var file in IncludedFiles.Find(_folder, include.First))
            directives.AddRange(ReadFile(file, depth + 1, include.File, include.Line));
    }
}
