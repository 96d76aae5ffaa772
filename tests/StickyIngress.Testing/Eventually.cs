namespace StickyIngress.Testing;

/// <summary>Waits for a condition that another thread or process brings about.</summary>
public static class Eventually
{
    /// <summary>Returns as soon as the condition holds; fails with the description when it never does.</summary>
    public static async Task HoldsAsync(Func<bool> condition, string description, CancellationToken cancellationToken = default) =>
        await HoldsAsync(() => Task.FromResult(condition()), description, cancellationToken);

    public static async Task HoldsAsync(Func<Task<bool>> condition, string description, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"never came true: {description}", e);
            }
        }
    }
}
