import Foundation
import Import
import Plan
import Scenario
import Testing

/// Numbers that are the same on every machine (Vigna's splitmix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

@Suite("Bundles with something changed by chance")
struct MutatedBundleTests {
    /// More of them with MUTANTS=5000.
    private static let count = ProcessInfo.processInfo.environment["MUTANTS"].flatMap { Int($0) } ?? 120

    private func mutated(_ data: Data, _ numbers: inout SeededNumbers) -> Data {
        var bytes = [UInt8](data)
        guard !bytes.isEmpty else { return Data("x".utf8) }
        let place = Int.random(in: 0..<bytes.count, using: &numbers)
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        let line = Int.random(in: 0..<lines.count, using: &numbers)
        let tokens = [
            "\n", "\"", "\u{1B}[2J", "é", "x: y\n", "{", "]", "-1", "99999999999999999999", "null", "[]", ",", " ", "0",
            "\u{202E}", "#",
        ]
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &numbers)
        case 1: bytes.removeSubrange(place...)
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &numbers)))
        case 3: bytes.insert(contentsOf: Array((tokens.randomElement(using: &numbers) ?? "").utf8), at: place)
        case 4:
            lines.remove(at: line)
            bytes = Array(lines.joined(separator: [0x0A]))
        case 5:
            lines.insert(lines[line], at: Int.random(in: 0...lines.count, using: &numbers))
            bytes = Array(lines.joined(separator: [0x0A]))
        case 6: return Data((tokens.randomElement(using: &numbers) ?? "").utf8)
        default:
            // A word takes another's place.
            let words = bytes.split { !($0 > 0x2A && $0 < 0x7B && $0 != 0x2C && $0 != 0x3A) }
            guard let one = words.randomElement(using: &numbers), let other = words.randomElement(using: &numbers)
            else { break }
            bytes.replaceSubrange(one.startIndex..<one.endIndex, with: Array(other))
        }
        return Data(bytes)
    }

    @Test(
        "each is refused in a line, or its scenario's mistakes have a place in the bundle or in what is missing; what is valid has a plan",
        arguments: [RecordedBundle.newton, .junoHybrid])
    func mutants(original: RecordedBundle) throws {
        var numbers = SeededNumbers(seed: 14)
        let bundle = try BundleCopy(of: original.folder)
        let files = try bundle.files()
        var (refused, invalid, valid) = (0, 0, 0)
        for number in 0..<Self.count {
            let file = try #require(files.randomElement(using: &numbers))
            let kept = try bundle.read(file)
            let changed = mutated(kept, &numbers)
            try bundle.write(file, changed)
            defer { try? bundle.write(file, kept) }
            do {
                let result = try bundle.imported()
                let (scenario, diagnostics) = try bundle.validated(result)
                for diagnostic in diagnostics {
                    #expect(!diagnostic.description.contains("\n") && !diagnostic.description.contains("\u{1B}"))
                }
                if diagnostics.hasErrors {
                    invalid += 1
                } else if let scenario {
                    valid += 1
                    #expect(scenario.timeline.isEmpty && scenario.expectations.isEmpty)
                    #expect(throws: Never.self, "mutant \(number), of \(file)") { try Plan(scenario) }
                } else {
                    Issue.record("mutant \(number), of \(file), is neither valid nor has it a mistake")
                }
            } catch let error as ImportError {
                refused += 1
                let folder = file.split(separator: "/")[0]
                #expect(error.description.contains(folder) && !error.description.contains("\n"), "\(error)")
            }
        }
        // Positive control: all three happen.
        #expect(refused > 0 && invalid > 0 && valid > 0, "\(refused) refused, \(invalid) invalid, \(valid) valid")
    }
}
