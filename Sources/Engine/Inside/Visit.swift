/// A laboratory that stays for people when its steps have been carried out.
public struct Visit: Sendable {
    /// Where they find it.
    public var folder: LabFolder
    /// Whether the evidence is complete before they come, so that it can be judged, and stays as it is; otherwise it is
    /// what was there when they went.
    public var comesAfterEvidence: Bool
    /// Called once the laboratory can be entered, on the engine's thread; whether it is to stay. Evidence that is complete
    /// is in the run's folder by then.
    public var opened: @Sendable () -> Bool
    /// Told why nobody can come after all.
    public var failed: @Sendable (String) -> Void

    public init(
        folder: LabFolder, comesAfterEvidence: Bool, opened: @escaping @Sendable () -> Bool,
        failed: @escaping @Sendable (String) -> Void
    ) {
        self.folder = folder
        self.comesAfterEvidence = comesAfterEvidence
        self.opened = opened
        self.failed = failed
    }
}
