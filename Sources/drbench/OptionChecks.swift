import ArgumentParser

/// What options can be, beyond what their types say. Each throws a `ValidationError` (exit status 2) that names the option and
/// what was expected.
enum OptionChecks {
    static func number(_ value: Int?, of option: String, in range: ClosedRange<Int>) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError(
            "\(option) is \(value), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }

    /// Processes at a time: each lab kernel is some, with memory of its own.
    static func jobs(_ jobs: Int?) throws { try number(jobs, of: "--jobs", in: 1...1_024) }

    /// Seconds. Infinite and not a number are none.
    static func timeout(_ seconds: Double) throws {
        let week = 604_800.0
        // Also false for what is not a number.
        guard seconds > 0, seconds <= week else {
            throw ValidationError("--timeout is \(seconds), expected seconds: more than 0, at most \(Int(week))")
        }
    }

    /// A file's or a folder's path: PATH_MAX is 4096 with the closing zero, and files below it need room.
    static func path(_ path: String?, of option: String) throws {
        guard let path else { return }
        let longest = 3_500
        guard !path.isEmpty else { throw ValidationError("\(option) is empty, expected a path") }
        guard path.utf8.count <= longest else {
            throw ValidationError("\(option) has \(path.utf8.count) bytes, expected a path of at most \(longest)")
        }
    }

    static func words(_ words: [String], of option: String) throws {
        guard words.contains("") else { return }
        throw ValidationError("\(option) is empty, expected a word")
    }

    /// As Debian's linux-source packages name a kernel's version: `6.12`.
    static func kernelVersion(_ version: String?, of option: String) throws {
        guard let version else { return }
        let parts = version.split(separator: ".", omittingEmptySubsequences: false)
        let areNumbers = parts.allSatisfy { part in
            (1...4).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard parts.count == 2, areNumbers else {
            throw ValidationError("\(option) is '\(version)', expected a kernel version such as 6.12")
        }
    }
}
