namespace StickyIngress.Control.Diagnostics;

/// <summary>
/// Every reason word that the compiler and the sources give. docs/diagnostics.md explains each; the words of the manifest
/// reader stand beside its rules.
/// </summary>
public static class Reasons
{
    // The resource as a whole.
    public const string DuplicateResource = nameof(DuplicateResource);
    public const string KeptLastGood = nameof(KeptLastGood);
    public const string Unreadable = nameof(Unreadable);

    // What the spec says.
    public const string InvalidAddress = nameof(InvalidAddress);
    public const string InvalidCookieAttribute = nameof(InvalidCookieAttribute);
    public const string InvalidHealthMatch = nameof(InvalidHealthMatch);
    public const string InvalidHost = nameof(InvalidHost);
    public const string InvalidPath = nameof(InvalidPath);
    public const string InvalidPattern = nameof(InvalidPattern);
    public const string InvalidTemplate = nameof(InvalidTemplate);
    public const string InvalidVariable = nameof(InvalidVariable);
    public const string NoEffect = nameof(NoEffect);
    public const string Repeated = nameof(Repeated);
    public const string ReservedHeader = nameof(ReservedHeader);
    public const string RingTooLarge = nameof(RingTooLarge);
    public const string SyncStoreMissing = nameof(SyncStoreMissing);
    public const string UnknownVariable = nameof(UnknownVariable);
    public const string UnsupportedAddressType = nameof(UnsupportedAddressType);
    public const string UnsupportedAppProtocol = nameof(UnsupportedAppProtocol);
    public const string UnsupportedByEngine = nameof(UnsupportedByEngine);
    public const string VariableCycle = nameof(VariableCycle);
    public const string VariableNotYetKnown = nameof(VariableNotYetKnown);
    public const string ZoneSizeMissing = nameof(ZoneSizeMissing);

    // Two resources, or two places of one, want the same.
    public const string Conflicted = nameof(Conflicted);
    public const string DuplicateRoute = nameof(DuplicateRoute);

    // What it refers to.
    public const string HostNotFound = nameof(HostNotFound);
    public const string HostNotResolved = nameof(HostNotResolved);
    public const string InvalidSecret = nameof(InvalidSecret);
    public const string PortNotFound = nameof(PortNotFound);
    public const string RefNotPermitted = nameof(RefNotPermitted);
    public const string SecretNotFound = nameof(SecretNotFound);
    public const string ServiceNotFound = nameof(ServiceNotFound);
    public const string UpstreamNotFound = nameof(UpstreamNotFound);
    public const string CertificateExpired = nameof(CertificateExpired);
    public const string CertificateMismatch = nameof(CertificateMismatch);

    /// <summary>
    /// Whether the word says that a reference does not resolve (condition ResolvedRefs) rather than that the spec makes no sense
    /// (condition Accepted). The rest of such a resource serves.
    /// </summary>
    public static bool IsReference(string reason) => reason
        is HostNotFound or HostNotResolved or InvalidSecret or PortNotFound or RefNotPermitted or SecretNotFound or ServiceNotFound or UpstreamNotFound
        or CertificateExpired;
}
