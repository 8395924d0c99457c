internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Plan

/// The folder that one run's files go to.
struct RunFolder {
    let path: String

    init(_ path: String) { self.path = path }

    func write(_ plan: Plan) throws(RunFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            let data = try encoder.encode(plan)
            try data.write(to: URL(filePath: path).appending(path: RunFiles.plan))
        } catch {
            throw RunFailure(.couldNotStart, "cannot write the plan to \(path): \(error)")
        }
    }

    func write(_ bytes: [UInt8], to name: String) {
        try? Data(bytes).write(to: URL(filePath: path).appending(path: name))
    }

    func remove(_ name: String) {
        try? FileManager.default.removeItem(at: URL(filePath: path).appending(path: name))
    }
}

/// Text as hexadecimal digits, for a kernel command line, which spaces and quotes would break.
public enum Hex {
    public static func encode(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// nil if `digits` is not the encoding of a text.
    public static func decode(_ digits: String) -> String? {
        let digits = Array(digits.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
