public import Measurement

/// Something that is not the same in the contexts of two runs, and may be why their numbers differ.
public struct ContextDifference: Codable, Sendable, Equatable {
    public enum Gravity: String, Codable, Sendable {
        /// The numbers mean different things.
        case never
        /// It changes numbers on its own; compared only if one asks for it.
        case onRequest
        /// It may change numbers; to be kept in mind.
        case note
    }

    public var what: String
    public var before: String
    public var after: String
    public var gravity: Gravity

    public var text: String { "\(what): \(before) → \(after)" }

    /// From the gravest to the lightest. In virtual time the machine does not matter. The revision is no difference but
    /// what runs are compared for.
    public static func all(_ before: MeasurementContext, _ after: MeasurementContext) -> [ContextDifference] {
        var found: [ContextDifference] = []
        func compare(_ what: String, _ gravity: Gravity, _ value: (MeasurementContext) -> String?) {
            let (old, new) = (value(before) ?? "none", value(after) ?? "none")
            if old != new {
                found.append(ContextDifference(what: what, before: old, after: new, gravity: gravity))
            }
        }
        compare("clock", .never) { $0.clock.rawValue }
        compare("engine", .onRequest) { $0.engine }
        compare("kernel", .onRequest) { $0.kernel }
        if before.clock == .real || after.clock == .real {
            compare("machine", .onRequest) { $0.machine.hostName }
            compare("processor", .onRequest) { $0.machine.processor }
            compare("processors", .onRequest) { "\($0.machine.processors)" }
            compare("memory", .note) { "\($0.machine.memory) MiB" }
            compare("host kernel", .note) { $0.machine.kernel }
        }
        compare("kernel build", .note) { $0.kernelBuild }
        compare("seed", .note) { $0.seed.map { "\($0)" } }
        compare("drbench", .note) { $0.drbench }
        for program in Set(before.programs.keys).union(after.programs.keys).sorted() {
            compare(program, .note) { $0.programs[program] }
        }
        return found
    }
}
