namespace StickyIngress.Api.Reading;

/// <summary>
/// Reads what is used of an object of Kubernetes' own: unknown fields are passed over, the type of each field that is asked for is checked.
/// </summary>
internal readonly struct MapReader(Node? node, Findings findings)
{
    public bool IsAbsent => node is null;

    public bool Has(string name) => node?.Get(name) is not null;

    public string Text(string name, string absent = "") => OptionalText(name) ?? absent;

    public string? OptionalText(string name)
    {
        if (node?.Get(name) is not { } value) return null;
        if (value.Kind == NodeKind.Scalar && value.Resolve() == ScalarKind.Text) return value.Text;

        findings.Enter(name);
        findings.NotText(value);
        findings.Leave();
        return null;
    }

    public string RequiredText(string name)
    {
        if (OptionalText(name) is { Length: > 0 } text) return text;

        if (node is not null && node.Get(name) is not { Text.Length: > 0 })
        {
            findings.Enter(name);
            findings.Error(ReadReasons.Required, $"{name} is missing; it must be set", node);
            findings.Leave();
        }

        return "";
    }

    public bool? OptionalBool(string name)
    {
        if (node?.Get(name) is not { } value) return null;
        if (value.Kind == NodeKind.Scalar && value.Resolve() == ScalarKind.Bool) return Scalars.IsTrue(value.Text);

        Report(name, value, "true or false");
        return null;
    }

    /// <summary>A port number; 0 where absent.</summary>
    public int Port(string name) => (int)Integer(name, 1, 65535);

    public long Integer(string name, long min, long max)
    {
        if (node?.Get(name) is not { } value) return 0;
        if (value.Kind == NodeKind.Scalar && value.Resolve() == ScalarKind.Integer && Scalars.TryInteger(value.Text, out var number))
        {
            if (number >= min && number <= max) return (long)number;

            findings.Enter(name);
            findings.Wrong(ReadReasons.OutOfRange, value, $"from {min} to {max}");
            findings.Leave();
            return 0;
        }

        Report(name, value, "a whole number");
        return 0;
    }

    /// <summary>A number or a string, as text.</summary>
    public string IntegerOrText(string name)
    {
        if (node?.Get(name) is not { } value) return "";
        if (value.Kind == NodeKind.Scalar && value.Resolve() is ScalarKind.Integer or ScalarKind.Text) return value.Text;

        Report(name, value, "a number or a string");
        return "";
    }

    /// <summary>Reads the map below the name; where it is absent the reader gets an absent map.</summary>
    public T Map<T>(string name, Func<MapReader, T> read)
    {
        var value = node?.Get(name);
        findings.Enter(name);
        var result = read(Of(value));
        findings.Leave();
        return result;
    }

    public T[] List<T>(string name, Func<MapReader, T> read)
    {
        var list = Items(name);
        if (list.Length == 0) return [];

        var items = new T[list.Length];
        findings.Enter(name);
        for (var i = 0; i < items.Length; i++)
        {
            findings.Enter(i);
            items[i] = read(Of(list[i]));
            findings.Leave();
        }

        findings.Leave();
        return items;
    }

    public ValueList<string> Texts(string name)
    {
        var list = Items(name);
        if (list.Length == 0) return ValueList<string>.Empty;

        var texts = new string[list.Length];
        findings.Enter(name);
        for (var i = 0; i < texts.Length; i++)
        {
            findings.Enter(i);
            texts[i] = Text(list[i]);
            findings.Leave();
        }

        findings.Leave();
        return new ValueList<string>(texts);
    }

    /// <summary>A map from names to strings, such as labels.</summary>
    public List<KeyValuePair<string, string>> TextMap(string name)
    {
        if (node?.Get(name) is not { } map) return [];
        if (map.Kind != NodeKind.Map)
        {
            Report(name, map, "a map");
            return [];
        }

        var entries = new List<KeyValuePair<string, string>>(map.Children.Length / 2);
        findings.Enter(name);
        for (var i = 0; i < map.Children.Length; i += 2)
        {
            var value = map.Children[i + 1];
            findings.EnterKey(map.Children[i].Text);
            if (value.IsNull) entries.Add(new(map.Children[i].Text, ""));
            else if (value.Kind == NodeKind.Scalar && value.Resolve() == ScalarKind.Text) entries.Add(new(map.Children[i].Text, value.Text));
            else findings.NotText(value);
            findings.Leave();
        }

        findings.Leave();
        return entries;
    }

    public void Error(string reason, string message)
    {
        if (node is not null) findings.Error(reason, message, node);
    }

    private Node[] Items(string name)
    {
        if (node?.Get(name) is not { } list) return [];
        if (list.Kind == NodeKind.List) return list.Children;

        Report(name, list, "a list");
        return [];
    }

    private string Text(Node item)
    {
        if (item.Kind == NodeKind.Scalar && item.Resolve() == ScalarKind.Text) return item.Text;

        findings.NotText(item);
        return "";
    }

    private MapReader Of(Node? value) => new(value is not null && Checked(value) ? value : null, findings);

    private bool Checked(Node value)
    {
        if (value.Kind == NodeKind.Map) return true;

        findings.WrongType(value, "a map");
        return false;
    }

    private void Report(string name, Node value, string allowed)
    {
        findings.Enter(name);
        findings.WrongType(value, allowed);
        findings.Leave();
    }
}
