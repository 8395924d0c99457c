internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Plan

/// The folder that one run's files go to.
struct RunFolder {
    let path: String

    init(_ path: String) { self.path = path }

    /// Writes what the laboratory is to do: the plan, and whether somebody is to come.
    func write(_ request: RunRequest) throws(RunFailure) {
        remove(Visit.file)
        if let visit = request.visit { write(Array(visit.moment.rawValue.utf8), to: Visit.file) }
        try write(request.carriedOut)
    }

    private func write(_ plan: Plan) throws(RunFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            let data = try encoder.encode(plan)
            try writeFile("\(path)/\(RunFiles.plan)", data)
        } catch {
            throw RunFailure(.couldNotStart, "cannot write the plan to \(path): \(error)")
        }
    }

    func write(_ bytes: [UInt8], to name: String) {
        try? writeFile("\(path)/\(name)", bytes)
    }

    /// What a file says that is hardly ever there, and so is asked for by one system call first; nil without one.
    func text(of name: String) -> String? {
        guard access("\(path)/\(name)", R_OK) == 0 else { return nil }
        return FileManager.default.contents(atPath: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }

    func remove(_ name: String) {
        try? FileManager.default.removeItem(at: URL(filePath: path).appending(path: name))
    }
}
