namespace StickyIngress.Api.Tests;

public sealed class ResourceYamlTests
{
    private const string Servers = "servers: [{ name: a, address: b }]\n";

    [Fact]
    public void Every_field_of_the_reference_is_accepted_as_written()
    {
        var read = ResourceYaml.Read(Examples.Everything, "shop.yaml");

        Assert.Empty(read.Errors);
        var spec = Assert.IsType<StickyUpstream>(Assert.Single(read.Resources)).Spec;
        Assert.Equal("http", spec.Servers[0].Service!.Port!.Value.Name);
        Assert.Equal(8080, spec.Servers[1].Service!.Port!.Value.Number);
        Assert.Equal(TimeSpan.FromHours(1), spec.Sticky!.Cookie!.Expires!.Value.After);
        Assert.Equal([NextUpstreamCondition.Error, NextUpstreamCondition.Timeout], spec.Proxy.NextUpstream!.Wanted);
        Assert.Equal(1024 * 1024, spec.Proxy.MaxBodySize);
        Assert.Equal(@"^.+\.(?<route>\w+)$", spec.Variables[0].Match);
        Assert.Equal(["200-399"], spec.HealthCheck!.Match.Status);
    }

    [Theory]
    [InlineData(Examples.LearnAndLeastTime)]
    [InlineData(Examples.RouteAndRandom)]
    public void The_other_modes_are_accepted_as_written(string spec) => Assert.Empty(Examples.ReadSpec(spec).Errors);

    [Theory]
    [InlineData("wieght: 2", "UnknownField", "spec.servers[0].wieght", "wieght is not known here; did you mean weight?")]
    [InlineData("weight: 1, weight: 2", "DuplicateField", "spec.servers[0].weight", "weight is written twice; it must be written once")]
    [InlineData("weight: '2'", "WrongType", "spec.servers[0].weight", "weight is \"2\"; it must be a whole number from 1 to 65535")]
    [InlineData("weight: 1.5", "WrongType", "spec.servers[0].weight", "weight is 1.5; it must be a whole number from 1 to 65535")]
    [InlineData("weight: [1]", "WrongType", "spec.servers[0].weight", "weight is a list; it must be a whole number from 1 to 65535")]
    [InlineData("weight: 70000", "OutOfRange", "spec.servers[0].weight", "weight is 70000; it must be a whole number from 1 to 65535")]
    [InlineData("weight: 0", "OutOfRange", "spec.servers[0].weight", "weight is 0; it must be a whole number from 1 to 65535")]
    [InlineData("weight: 99999999999999999999", "OutOfRange", "spec.servers[0].weight", "weight is 99999999999999999999; it must be a whole number from 1 to 65535")]
    [InlineData("maxConns: -1", "OutOfRange", "spec.servers[0].maxConns", "maxConns is -1; it must be a whole number, at least 0")]
    [InlineData("failTimeout: 5x", "InvalidValue", "spec.servers[0].failTimeout", "failTimeout is \"5x\"; it must be a time in whole seconds such as 10s, 1h30m or 30d")]
    [InlineData("failTimeout: 10ms", "InvalidValue", "spec.servers[0].failTimeout", "failTimeout is \"10ms\"; it must be a time in whole seconds such as 10s, 1h30m or 30d")]
    [InlineData("failTimeout: true", "WrongType", "spec.servers[0].failTimeout", "failTimeout is true; it must be a time in whole seconds such as 10s, 1h30m or 30d")]
    [InlineData("backup: 1", "WrongType", "spec.servers[0].backup", "backup is 1; it must be true or false")]
    [InlineData("backup: 'true'", "WrongType", "spec.servers[0].backup", "backup is \"true\"; it must be true or false")]
    [InlineData("routeFrom: Pod", "InvalidValue", "spec.servers[0].routeFrom", "routeFrom is \"Pod\"; it must be one of PodName, Address")]
    [InlineData("route: yes", "WrongType", "spec.servers[0].route", "route is yes; it must be a string (write it in quotes: \"yes\")")]
    [InlineData("route: 12", "WrongType", "spec.servers[0].route", "route is 12; it must be a string (write it in quotes: \"12\")")]
    [InlineData("route: 0123456789abcdef0123456789abcdefx", "TooLong", "spec.servers[0].route", "route is \"0123456789abcdef0123456789abcdefx\"; it must be a string of 1 to 32 characters")]
    [InlineData("route: ''", "TooShort", "spec.servers[0].route", "route is \"\"; it must be a string of 1 to 32 characters")]
    [InlineData("service: { name: x, port: 70000 }", "OutOfRange", "spec.servers[0].service.port", "port is 70000; it must be a port number from 1 to 65535 or a port's name")]
    [InlineData("service: { port: http }", "Required", "spec.servers[0].service.name", "name is missing; it must be set")]
    public void A_mistake_in_a_server_is_named(string fields, string reason, string field, string message)
    {
        var read = Examples.ReadSpec($"servers: [{{ name: a, {fields} }}]");

        Assert.Empty(read.Resources);
        var error = Assert.Single(read.Errors);
        Assert.Equal((ReadSeverity.Error, reason, field, message), (error.Severity, error.Reason, error.Field, error.Message));
        Assert.Equal(new ResourceRef("StickyUpstream", "web", "shop"), error.Resource);
        Assert.Equal(5, error.Line);
    }

    [Theory]
    [InlineData("servers: []", "TooFew", "spec.servers", "servers has 0 items; it must have 1 to 256")]
    [InlineData("ntlm: true", "Required", "spec.servers", "servers is missing; it must be set")]
    [InlineData("servers: ~", "Required", "spec.servers", "servers is missing; it must be set")]
    [InlineData("servers: a", "WrongType", "spec.servers", "servers is \"a\"; it must be a list")]
    [InlineData("servers: [a]", "WrongType", "spec.servers[0]", "servers[0] is \"a\"; it must be a map")]
    [InlineData("servers: [{ name: A, address: b }]", "InvalidValue", "spec.servers[0].name", "name is \"A\"; it must be lower-case letters, digits and '-', beginning and ending with a letter or digit")]
    [InlineData("servers: [{ name: a, address: b }, { name: a, address: c }]", "DuplicateName", "spec.servers[1].name", "name \"a\" is also that of item 0; it must be unique")]
    [InlineData(Servers + "proxy: { maxBodySize: 1x }", "InvalidValue", "spec.proxy.maxBodySize", "maxBodySize is \"1x\"; it must be a size such as 0, 64k, 1m or 1g")]
    [InlineData(Servers + "proxy: { requestBuffer: 1g }", "OutOfRange", "spec.proxy.requestBuffer", "requestBuffer is \"1g\"; it must be from 0 to 16m")]
    [InlineData(Servers + "proxy: { connectTimeout: 0 }", "OutOfRange", "spec.proxy.connectTimeout", "connectTimeout is 0; it must be at least 1ms and at most 24d20h31m23s647ms")]
    [InlineData(Servers + "proxy: { nextUpstream: { on: [Error, off] } }", "InvalidValue", "spec.proxy.nextUpstream.on[1]", "on[1] is off; it must be one of Error, Timeout, InvalidHeader, HTTP500, HTTP502, HTTP503, HTTP504, HTTP403, HTTP404, HTTP429, NonIdempotent, Off")]
    [InlineData(Servers + "proxy: { nextUpstream: { on: [Error, Error, Error, Error, Error, Error, Error, Error, Error, Error, Error, Error, Error] } }", "TooMany", "spec.proxy.nextUpstream.on", "on has 13 items; it must have 1 to 12, or be left out")]
    [InlineData(Servers + "routes: [{ hosts: [] }]", "TooFew", "spec.routes[0].hosts", "hosts has 0 items; it must have 1 to 64, or be left out")]
    [InlineData(Servers + "routes: [{ paths: [] }]", "TooFew", "spec.routes[0].paths", "paths has 0 items; it must have 1 to 64, or be left out")]
    [InlineData(Servers + "ingressClassName: a b", "InvalidValue", "spec.ingressClassName", "ingressClassName is \"a b\"; it must be a DNS name: lower-case letters, digits, '-' and '.', each label beginning and ending with a letter or digit")]
    [InlineData(Servers + "sticky: { cookie: { name: a, expires: 1ms } }", "InvalidValue", "spec.sticky.cookie.expires", "expires is \"1ms\"; it must be a time in whole seconds such as 10s, 1h30m or 30d, or max")]
    [InlineData(Servers + "healthCheck: { match: { status: [700] } }", "WrongType", "spec.healthCheck.match.status[0]", "status[0] is 700; it must be a string (write it in quotes: \"700\")")]
    public void A_mistake_in_a_spec_is_named(string spec, string reason, string field, string message)
    {
        var error = Assert.Single(Examples.ReadSpec(spec).Errors);

        Assert.Equal((reason, field, message), (error.Reason, error.Field, error.Message));
    }

    [Fact]
    public void All_mistakes_of_a_document_are_found()
    {
        var read = Examples.ReadSpec("servers: [{ name: a, weight: 0, bakcup: true }]\nqueue: {}\nnope: 1");

        Assert.Equal(
            ["spec.servers[0].weight", "spec.servers[0].bakcup", "spec.queue.size", "spec.nope"],
            read.Errors.Select(e => e.Field));
    }

    [Theory]
    [InlineData("{ name: Shop }", "InvalidValue", "metadata.name")]
    [InlineData("{ namespace: web }", "Required", "metadata.name")]
    [InlineData("{ name: shop, namespace: a.b }", "InvalidValue", "metadata.namespace")]
    [InlineData("{ name: shop, lables: {} }", "UnknownField", "metadata.lables")]
    [InlineData("{ name: shop, labels: { a: true } }", "WrongType", "metadata.labels[a]")]
    [InlineData("{ name: shop, creationTimestamp: soon }", "InvalidValue", "metadata.creationTimestamp")]
    public void A_mistake_in_the_metadata_is_named(string metadata, string reason, string field)
    {
        var text = $"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {metadata}\nspec:\n  {Servers}";

        var error = Assert.Single(ResourceYaml.Read(text, "f").Errors);

        Assert.Equal((reason, field), (error.Reason, error.Field));
    }

    [Fact]
    public void Metadata_is_read_and_what_only_Kubernetes_knows_is_fine()
    {
        const string Text = """
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata:
              name: shop
              uid: u-1
              generation: 7
              resourceVersion: "42"
              creationTimestamp: 2026-01-31T12:00:00Z
              labels: { app: shop }
              annotations: { note: "a: b" }
              managedFields: [{ manager: kubectl }]
              finalizers: [x]
              ownerReferences: []
            spec: { servers: [{ name: a, address: b }] }
            """;

        var metadata = Assert.Single(ResourceYaml.Read(Text, "f").Resources).Metadata;

        Assert.Equal(("shop", "default", "u-1", 7L, "42"), (metadata.Name, metadata.Namespace, metadata.Uid, metadata.Generation, metadata.ResourceVersion));
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), metadata.CreationTimestamp);
        Assert.Equal(("shop", "a: b"), (metadata.Labels["app"], metadata.Annotations["note"]));
    }

    [Theory]
    [InlineData("a: [")]
    [InlineData("a: b: c")]
    [InlineData("a: *nowhere")]
    [InlineData("a: !odd b")]
    [InlineData("[a]: b\n? [x]\n: y")]
    public void A_file_that_is_no_YAML_gives_one_error_and_nothing_else(string broken)
    {
        var read = ResourceYaml.Read(Examples.Everything + "\n---\n" + broken, "f");

        Assert.Empty(read.Resources);
        var error = Assert.Single(read.Errors);
        Assert.Equal("InvalidYaml", error.Reason);
        Assert.True(error.Line > 70);
        Assert.True(error.Column > 0);
    }

    [Fact]
    public void A_broken_document_leaves_the_others_alone()
    {
        var read = ResourceYaml.Read(Examples.WithSpec("servers: 1") + "\n---\n" + Examples.Everything.Replace("name: shop,", "name: other,"), "f");

        Assert.Equal("other", Assert.Single(read.Resources).Metadata.Name);
        Assert.Equal("shop", Assert.Single(read.Errors).Resource!.Value.Name);
    }

    [Fact]
    public void Another_kind_is_passed_over_with_a_warning()
    {
        var read = ResourceYaml.Read("apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\n---\n" + Examples.Everything, "f");

        Assert.Single(read.Resources);
        var warning = Assert.Single(read.Errors);
        Assert.Equal((ReadSeverity.Warning, "UnknownKind"), (warning.Severity, warning.Reason));
        Assert.Equal(new ResourceRef("Deployment", "default", "x"), warning.Resource);
    }

    [Theory]
    [InlineData("\uFEFF")]
    [InlineData("---\n---\n# nothing\n---\n~\n---\n")]
    [InlineData("%YAML 1.1\n---\n")]
    public void Marks_and_empty_documents_are_skipped(string before)
    {
        var read = ResourceYaml.Read((before + Examples.Everything).ReplaceLineEndings("\r\n"), "f");

        Assert.Empty(read.Errors);
        Assert.Single(read.Resources);
    }

    [Fact]
    public void Aliases_and_merge_keys_are_followed()
    {
        var read = Examples.ReadSpec("servers:\n- &a { name: a, address: b, weight: 7 }\n- { <<: *a, name: c }");

        Assert.Empty(read.Errors);
        Assert.Equal(7, ((StickyUpstream)read.Resources[0]).Spec.Servers[1].Weight);
    }

    [Fact]
    public void A_bomb_of_aliases_is_refused()
    {
        var lines = Enumerable.Range(1, 30).Select(i => $"l{i}: &l{i} [*l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}]");

        var read = ResourceYaml.Read("l0: &l0 [x, x, x, x, x]\n" + string.Join('\n', lines), "f");

        Assert.Equal("InvalidYaml", Assert.Single(read.Errors).Reason);
    }

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Contains("nested deeper", Assert.Single(ResourceYaml.Read(new string('[', 5000), "f").Errors).Message);

    [Fact]
    public void A_file_that_is_too_large_is_refused() =>
        Assert.Contains("at most", Assert.Single(ResourceYaml.Read(new string('#', 11 * 1024 * 1024), "f").Errors).Message);

    [Theory]
    [InlineData("10", 10)]
    [InlineData("'10'", 10)]
    [InlineData("010", 8)]
    [InlineData("1_0", 10)]
    [InlineData("0x10", 16)]
    [InlineData("1m", 60)]
    [InlineData("!!str 10", 10)]
    public void A_time_is_a_string_or_whole_seconds(string written, int seconds)
    {
        var read = Examples.ReadSpec($"servers: [{{ name: a, address: b, failTimeout: {written} }}]");

        Assert.Equal(TimeSpan.FromSeconds(seconds), ((StickyUpstream)Assert.Single(read.Resources)).Spec.Servers[0].FailTimeout);
    }

    [Fact]
    public void Equal_specs_are_equal_and_a_change_is_seen()
    {
        static StickyUpstreamSpec Read(string text) => ((StickyUpstream)Assert.Single(ResourceYaml.Read(text, "f").Resources)).Spec;

        var spec = Read(Examples.Everything);

        Assert.Equal(spec, Read(Examples.Everything));
        Assert.Equal(spec.GetHashCode(), Read(Examples.Everything).GetHashCode());
        Assert.NotEqual(spec, Read(Examples.Everything.Replace("weight: 1", "weight: 2")));
        Assert.Equal(spec, spec with { Servers = [.. spec.Servers] });
    }

    [Fact]
    public void What_is_written_leaves_out_the_defaults_and_quotes_what_it_must()
    {
        var spec = ((StickyUpstream)Examples.ReadSpec(
            "servers: [{ name: a, address: 'b:80', route: 'yes', failTimeout: 10s, weight: 2 }]\n"
            + "proxy: { maxBodySize: 0, nextUpstream: { \"on\": [Error] } }").Resources[0]).Spec;
        var resource = new StickyUpstream { Metadata = new ObjectMeta { Name = "shop" }, Spec = spec };

        var text = ResourceYaml.Write(resource);

        Assert.Equal(
            """
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata:
              name: shop
              namespace: default
            spec:
              servers:
              - name: a
                address: b:80
                weight: 2
                route: 'yes'
              proxy:
                maxBodySize: 0
                nextUpstream:
                  'on':
                  - Error

            """,
            text);
    }
}
