import Foundation

/// Gives drbench files that chance has changed, and looks at how it takes them: see `Verdict`. Equal seeds give equal inputs,
/// however many work on them.

struct Options {
    var seconds = 60.0
    var count = Int.max
    var seed: UInt64 = 1
    var targets: [String] = []
    var drbench = ""
    var keep = ".build/fuzz"
    var jobs = ProcessInfo.processInfo.activeProcessorCount
    /// The first input's number: to repeat a single one.
    var first = 0

    static let usage = """
        usage: fuzz [--seconds N] [--count N] [--seed S] [--target NAME]... [--drbench PATH] [--keep DIR] [--jobs N] [--first N]
        targets: \(Target.names.joined(separator: ", "))
        Ends after N seconds (60) or N inputs, what comes first; each finding is kept in DIR (.build/fuzz).
        Exit status: 0 no finding, 1 findings, 2 wrong usage, 3 it could not be done.
        """

    init(_ words: [String]) throws(UsageError) {
        var rest = words[...]
        func value(_ option: String) throws(UsageError) -> String {
            guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
            return value
        }
        func number<Number: LosslessStringConvertible>(_ option: String) throws(UsageError) -> Number {
            let text = try value(option)
            guard let number = Number(text) else { throw UsageError("'\(text)' is no number for \(option)") }
            return number
        }
        while let option = rest.popFirst() {
            switch option {
            case "--seconds": seconds = try number(option)
            case "--count": count = try number(option)
            case "--seed": seed = try number(option)
            case "--jobs": jobs = max(1, try number(option))
            case "--first": first = try number(option)
            case "--target":
                let names = try value(option).split(separator: ",").map(String.init)
                for name in names where !Target.names.contains(name) { throw UsageError("no target '\(name)'") }
                targets += names
            case "--drbench": drbench = try value(option)
            case "--keep": keep = try value(option)
            default: throw UsageError("unknown option '\(option)'")
            }
        }
        if targets.isEmpty { targets = Target.names }
    }
}

struct UsageError: Error {
    let description: String
    init(_ description: String) { self.description = description }
}

func say(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }

do {
    var options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.drbench.isEmpty {
        let built = ["release", "debug"].map { Corpus.repository + ".build/\($0)/drbench" }
        options.drbench = built.first { access($0, X_OK) == 0 } ?? ""
    }
    guard access(options.drbench, X_OK) == 0 else {
        say("fuzz: there is no drbench program: --drbench names one, 'swift build --product drbench' builds one")
        exit(3)
    }
    let session = try Session(options)
    exit(session.run())
} catch let error as UsageError {
    say("fuzz: \(error.description)\n\(Options.usage)")
    exit(2)
} catch {
    say("fuzz: \(error)")
    exit(3)
}
