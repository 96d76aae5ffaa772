using StickyIngress.Core.Sessions;

namespace StickyIngress.Core.Tests.Sessions;

/// <summary>Measures the memory of the whole process, so nothing may run beside it.</summary>
[CollectionDefinition(nameof(SessionTableMemoryTests), DisableParallelization = true)]
[Collection(nameof(SessionTableMemoryTests))]
public sealed class SessionTableMemoryTests
{
    [Fact]
    public void A_million_sessions_take_at_most_64_bytes_each()
    {
        const int sessions = 1_000_000;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var table = new SessionTable(new(sessions, TimeSpan.FromMinutes(10)), TimeProvider.System);
        for (var i = 0; i < sessions; i++) table.Learn(SessionTableTests.Key(i), i % 10, mayCreate: true);

        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.Equal(sessions, table.Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{(double)bytes / sessions:F1} bytes a session");
        Assert.InRange(bytes, table.Bytes * 0.95, 64.0 * sessions);
    }
}
