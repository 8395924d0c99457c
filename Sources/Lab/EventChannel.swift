internal import FoundationEssentials
internal import Glibc

extension LabEvent {
    /// Reads one line of the event channel; nil if it is none (a guest kernel's own output on the line, say).
    public init?(line: some Collection<UInt8>) {
        guard let event = try? JSONDecoder().decode(LabEvent.self, from: Data(line)) else { return nil }
        self = event
    }

    /// The event as one line with its newline.
    public func line() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(self) else { return [] }
        return Array(data) + [0x0A]
    }
}

/// The laboratory's end of the channel to its front.
public struct EventChannel: Sendable {
    private let descriptor: Int32

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes one event. A front that has gone is no error: the laboratory dies with it anyway.
    public func send(_ event: LabEvent) {
        var rest = event.line()[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
