/// What a laboratory tells the front while it works: one JSON object per line on the event channel.
///
/// The evidence itself is not sent but written to the run's folder.
public enum LabEvent: Codable, Sendable, Equatable {
    /// The laboratory is up; `kernel` is `uname -r`.
    case started(kernel: String)
    case step(Int, name: String)
    /// Something went wrong in the laboratory itself.
    case problem(String)
    /// The guest's clock passed its limit, in seconds, and the guest ends: whatever it waits for does not come.
    case clockRanOut(Int)
    /// What this host lacks to keep the laboratory from changing it.
    case unconfined(String)
    /// The answer to a probe: by capability, nil if it is there, otherwise why not.
    case capabilities([String: String?])
    /// The laboratory stands open: people may come, and it stays until it is told to end.
    case open
    /// The run came to its end and its evidence is written.
    case finished
}
