import FoundationEssentials
import Testing

@testable import Plan
@testable import Reading
@testable import Scenario

/// Files that are nearly right, by the thousand: each is read and planned, or refused with a place. A trap ends the tests.
@Suite("No text makes reading or planning trap")
struct HostileInputTests {
    /// How many; more by hand: DRBENCH_MUTATIONS=100000.
    private static let count = ProcessInfo.processInfo.environment["DRBENCH_MUTATIONS"].flatMap { Int($0) } ?? 1_500

    private static let seed =
        ProcessInfo.processInfo.environment["DRBENCH_MUTATION_SEED"].flatMap { UInt64($0) } ?? 1

    /// What stands in place of something.
    private static let pieces = [
        "0", "-1", "99999999999999999999", "9223372036854775807", "18446744073709551615", "4294967296", "nan", "inf",
        "1e999",
        "9223372036s", "999999999h", "0.0000000000001s", "9999999999GB", "100.1%", "\"\"", "~", "[]", "{}", "[[]]",
        "\"\\0\"",
        "\"\\e[31m\"", "\"\u{202E}\"", "&a [*a]", "*x", "$(", "$(x)", "$$(", "1..65535", "65536",
        ">= 9223372036854775807",
        "255.255.255.255/33", "::/0", "0.0.0.0/0", "ff:ff:ff:ff:ff:ff", "lo", "all", "a:b:c", "tap(", "uplink()", ":",
        "-",
        "s(lb)", "\n", "  ", "- ", ": ", "#", "{", "}", "[", "]", "\"", "'", "\\", "|", "\u{0}", "é", "\u{1F600}",
    ]

    private struct Files {
        var scenarios: [String]
        var topologies: [String: Topology]
        var topologyTexts: [String]

        init() {
            let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().path
            func texts(_ folder: String) -> [(name: String, text: String)] {
                let paths = (try? ScenarioLibrary.yamlFiles(below: "\(repository)/\(folder)").get()) ?? []
                return paths.compactMap { path in
                    (try? TextFile.read(path).get()).map { (ScenarioLibrary.name(of: path), $0) }
                }
            }
            let topologies = texts("netns")
            topologyTexts = topologies.map(\.text)
            self.topologies = Dictionary(
                topologies.map { ($0.name, Topology($0.text, file: "net.yaml", checks: ScenarioChecks())) }
            ) { first, _ in first }
            // Small ones without many variants: more of them in the same time.
            scenarios = texts("Scenarios").map(\.text).filter { text in
                text.utf8.count < 4_000 && !text.contains("matrix:") && !text.contains("iptables_save")
            }
        }

        func read(_ text: String, topology: String? = nil) -> ScenarioFile {
            let changed = topology.map { Topology($0, file: "net.yaml", checks: ScenarioChecks()) }
            let source = TopologySource(names: Array(topologies.keys)) { [topologies] in changed ?? topologies[$0] }
            var file = ScenarioFile(name: "s", file: "s.yaml", topologies: source, checks: ScenarioChecks())
            file.read(text)
            return file
        }
    }

    private func mutated(_ text: String, _ random: inout some RandomNumberGenerator) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for _ in 0...Int.random(in: 0..<3, using: &random) {
            guard let piece = Self.pieces.randomElement(using: &random), !lines.isEmpty else { break }
            let at = Int.random(in: 0..<lines.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: lines.remove(at: at)
            case 1: lines.insert(lines[at], at: at)
            case 2: lines.insert(contentsOf: Array(repeating: lines[at], count: 50), at: at)
            case 3:
                var scalars = Array(lines[at].unicodeScalars)
                let place = Int.random(in: 0...scalars.count, using: &random)
                scalars.replaceSubrange(place..<min(place + 1, scalars.count), with: Array(piece.unicodeScalars))
                lines[at] = String(String.UnicodeScalarView(scalars))
            default:
                // A word for another.
                var words = lines[at].split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                let place = Int.random(in: 0..<words.count, using: &random)
                let word = words[place]
                words[place] = piece + String(word.suffix(while: { ",]}:".contains($0) }))
                lines[at] = words.joined(separator: " ")
            }
        }
        return lines.joined(separator: "\n")
    }

    @Test("mutated scenarios and topologies are planned, or refused with a place")
    func mutations() throws {
        var random = Repeatable(state: Self.seed)
        let files = Files()
        try #require(files.scenarios.count > 20 && files.topologies.count > 5)
        var (planned, refused) = (0, 0)
        let deadline = ContinuousClock.now + .seconds(Self.count > 1_500 ? 100_000 : 60)
        for number in 0..<Self.count where ContinuousClock.now < deadline {
            guard let scenario = files.scenarios.randomElement(using: &random) else { break }
            var (text, topology) = (scenario, String?.none)
            if number % 4 == 3, let one = files.topologyTexts.randomElement(using: &random) {
                topology = mutated(one, &random)
            } else {
                text = mutated(scenario, &random)
            }
            // What traps is in this file then.
            if Self.count > 1_500 {
                try Data("# \(number)\n\(topology ?? "")\n---\n\(text)".utf8).write(
                    to: URL(filePath: "/tmp/drbench-mutation"))
            }
            let start = ContinuousClock.now
            let file = files.read(text, topology: topology)
            for diagnostic in file.diagnostics {
                #expect(
                    ["s.yaml", "net.yaml"].contains(diagnostic.location.file) && diagnostic.location.line > 0,
                    "\(diagnostic)")
            }
            for scenario in file.scenarios {
                do {
                    planned += try Plan(scenario).namespaces.isEmpty ? 0 : 1
                } catch let error as PlanError {
                    #expect(error.location != nil, "\(error)")
                }
            }
            refused += file.diagnostics.hasErrors ? 1 : 0
            #expect(ContinuousClock.now - start < .seconds(20), "\(text)")
        }
        // Otherwise nothing was tried.
        #expect(planned > 50 && refused > 50, "\(planned) planned, \(refused) refused")
    }
}

/// SplitMix64: the same numbers everywhere.
private struct Repeatable: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension String {
    fileprivate func suffix(while fits: (Character) -> Bool) -> Substring {
        var start = endIndex
        while start > startIndex, fits(self[index(before: start)]) { start = index(before: start) }
        return self[start...]
    }
}
