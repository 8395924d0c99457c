import Capture
import Evidence
import Foundation
import Report
import Scenario
import Testing
import Verdict

/// Numbers that follow from a seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Kept runs that somebody changed, or a disk or a guest spoiled: whatever is in them, drbench says what is wrong, or tells
/// the run as it is now; it never ends.
@Suite("Damaged runs")
struct DamagedRunTests {
    private static let names = [
        "cross-hv-p-old", "fragmented-udp+one-lost", "nat-masq", "ipv6-ra-spoof+kilo", "conntrack-icmp-related",
        "sctp-dr+cross",
        "arp-redirect-tp+untracked", "sync-daemon+too-early", "tun-ipip+no-tunnel",
    ]
    /// More with DRBENCH_MUTANTS=1000: so many of each.
    private static let count = ProcessInfo.processInfo.environment["DRBENCH_MUTANTS"].flatMap { Int($0) } ?? 12
    private static let seed = ProcessInfo.processInfo.environment["DRBENCH_SEED"].flatMap { UInt64($0) } ?? 1

    /// A recorded run as its two files.
    private struct Files {
        var evidence: [UInt8]
        var capture: [UInt8]
        let scenario: Scenario

        init(_ name: String) throws {
            scenario = try RecordedRun(name.replacing("+", with: "/")).scenario
            evidence = try RecordedRun.file("evidence.json", of: name)
            capture = try RecordedRun.file("capture.pcapng", of: name)
        }

        /// What drbench makes of it, as KeptRun reads it: what is damaged, or the verdict.
        @discardableResult
        func told() -> (damage: String?, verdict: Verdict?) {
            let evidence: Evidence
            do {
                evidence = try JSONDecoder().decode(Evidence.self, from: Data(self.evidence))
            } catch {
                return ("\(error)", nil)
            }
            if let damage = evidence.damage { return (damage, nil) }
            let capture = PcapNGReader.read(self.capture)
            if let disagreement = CaptureAccount.disagreement(capture, evidence) { return (disagreement, nil) }
            let frames = RunFrame.all(of: capture, since: evidence.started)
            let verdict = judge(scenario: scenario, evidence: evidence, frames: frames)
            let story = Explanation(
                scenario: scenario, evidence: evidence,
                journeys: Journeys(scenario: scenario, evidence: evidence, frames: frames))
            _ = story.text(of: nil, folder: "folder")
            _ = story.flowFailures()
            _ = PcapNGComments.added(PacketComments(story.journeys).comments, to: self.capture)
            _ = ScenarioPage(scenario: scenario, evidence: evidence, story: story, verdict: verdict, artefacts: []).html
            _ = RunFacts(verdict: verdict, evidence: evidence, journeys: story.journeys)
            let result = RunResult(engine: "uml", runs: [ScenarioRun(verdict: verdict)])
            _ = try? render(result, as: .terminal)
            return (nil, verdict)
        }
    }

    // MARK: Kinds of damage

    @Test("recorded runs are whole, and judged as they are", arguments: RecordedRun.names)
    func whole(_ name: String) throws {
        let told = try Files(name.replacing("/", with: "+")).told()
        #expect(told.damage == nil)
    }

    /// What of /work/shared/robustness/damage-evidence.py: a change, and what is said of it.
    private static let changes: [(change: @Sendable (inout Evidence) -> Void, says: String)] = [
        ({ $0.ended = .max }, "'ended' is"),
        ({ $0.ended = -1 }, "'ended' is"),
        ({ $0.started += 10_000_000_000 }, "is older than the run"),
        ({ $0.started = .min }, "'started' is"),
        ({ $0.initial.rules["hv1"]?[0].packets = .min }, "which is no count"),
        ({ $0.final.counters["lb"] = ["Ip.InReceives": -1] }, "Ip.InReceives in lb"),
        (
            {
                $0.steps[0].started = .min
                $0.steps[0].ended = .max
            }, "step 'four gets'"
        ),
        ({ $0.steps[0].started = $0.steps[0].ended + 1 }, "before it started"),
        ({ $0.steps[0].transcripts[0].started = .min }, "a request of client in step"),
        ({ $0.steps[0].transcripts[0].receivedBytes = -1 }, "the bytes received"),
        ({ $0.ports[0].received += 1 }, "which received"),
        ({ $0.ports[0].dropped = -1 }, "the frames dropped"),
        ({ $0.ports.swapAt(0, 1) }, "the capture file's interface 0 is"),
        ({ $0.ports.removeLast() }, "the run had"),
        ({ $0.version = 99 }, "format 99"),
    ]

    @Test("evidence that cannot be so is damaged, and what is damaged is said", arguments: changes.indices)
    func evidence(_ index: Int) throws {
        var files = try Files("cross-hv-p-old")
        var evidence = try JSONDecoder().decode(Evidence.self, from: Data(files.evidence))
        Self.changes[index].change(&evidence)
        files.evidence = [UInt8](try JSONEncoder().encode(evidence))
        let damage = try #require(files.told().damage)
        #expect(damage.contains(Self.changes[index].says))
    }

    @Test("a frame less, a frame more, a frame at another port, and a file that ends early are noticed")
    func capture() throws {
        let whole = try Files("cross-hv-p-old")
        let blocks = Blocks(whole.capture)
        let frames = blocks.all.indices.filter { blocks.all[$0].type == 6 }
        let statistics = blocks.all.indices.filter { blocks.all[$0].type == 5 }
        func damage(_ change: (inout Blocks) -> Void) -> String? {
            var files = whole
            var changed = blocks
            change(&changed)
            files.capture = changed.bytes
            return files.told().damage
        }
        #expect(damage { _ in } == nil, "as it is, it is whole")
        for frame in [frames[0], frames[5], frames[frames.count - 1]] {
            #expect(damage { $0.all.remove(at: frame) }?.contains("which received") == true)
            #expect(damage { $0.all.insert($0.all[frame], at: frame) }?.contains("which received") == true)
            #expect(
                damage { $0.all[frame].bytes[8] = $0.all[frame].bytes[8] == 0 ? 1 : 0 }?.contains("which received")
                    == true)
        }
        #expect(damage { $0.all.removeLast() }?.contains("its end is missing") == true)
        #expect(damage { $0.all.removeSubrange(statistics[0]...) }?.contains("its end is missing") == true)
        #expect(damage { $0.all.insert($0.all[statistics[0]], at: statistics[0]) }?.contains("statistics") == true)
        #expect(damage { $0.all.removeSubrange(frames[3]...) }?.contains("which received") == true)
        #expect(damage { $0.all[1].bytes[20] = UInt8(ascii: "X") } != nil, "an interface of another name")
    }

    // MARK: Mutants

    @Test("whatever number, byte or block is changed, there is an answer", arguments: names)
    func mutants(_ name: String) throws {
        let whole = try Files(name)
        var numbers = SeededNumbers(seed: Self.seed &+ UInt64(name.utf8.count))
        var untold = 0
        for _ in 0..<Self.count {
            var files = whole
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0, 1: files.evidence = Mutation.number(in: whole.evidence, using: &numbers)
            case 2: files.capture = Mutation.frame(in: whole.capture, using: &numbers)
            default: files.capture = Mutation.block(in: whole.capture, using: &numbers)
            }
            if files.told().damage != nil { untold += 1 }
        }
        #expect(untold > 0)
    }

    @Test("results.json with any number, or without any key, can be shown or is refused")
    func results() throws {
        let verdict = try RecordedRun("cross-hv-p-old").verdict
        let run = ScenarioRun(
            verdict: verdict, directory: "cross-hv-p-old",
            failures: try RecordedRun("cross-hv-p-old").story.flowFailures(),
            timing: Timing(wall: 5, guest: 6))
        let bytes = [UInt8](
            try JSONEncoder().encode(
                RunResult(engine: "uml", seed: 1, runs: [run, run], timing: Timing(wall: 1_000_000))))
        var numbers = SeededNumbers(seed: Self.seed)
        for _ in 0..<Self.count * 10 {
            let changed = Mutation.number(in: Mutation.number(in: bytes, using: &numbers), using: &numbers)
            guard let read = try? JSONDecoder().decode(RunResult.self, from: Data(changed)) else { continue }
            let result = RunResult(engine: read.engine, seed: read.seed, runs: read.runs, timing: read.timing)
            for format in OutputFormat.allCases { _ = try? render(result, as: format) }
            _ = OverviewPage(result, pages: []).html
        }
    }
}

/// The blocks of a capture file that drbench wrote.
struct Blocks {
    var all: [(type: UInt32, bytes: [UInt8])] = []

    init(_ file: [UInt8]) {
        var offset = 0
        while file.count - offset >= 12 {
            let type = Self.number(file, offset)
            let length = Int(Self.number(file, offset + 4))
            guard length >= 12, length <= file.count - offset else { break }
            all.append((type, Array(file[offset..<offset + length])))
            offset += length
        }
    }

    var bytes: [UInt8] { all.flatMap(\.bytes) }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}

/// Damage at random.
enum Mutation {
    private static let extremes = [
        "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "4294967295", "65535",
        "2305843009213693952", "4611686018427387904", "-4611686018427387904", "9007199254740993", "0.5", "1e300",
        "null",
        "[]", "\"\"",
    ]

    /// JSON with another number in place of one.
    static func number(in json: [UInt8], using numbers: inout some RandomNumberGenerator) -> [UInt8] {
        var isText = false
        var places: [Range<Int>] = []
        var index = 0
        while index < json.count {
            let byte = json[index]
            if byte == UInt8(ascii: "\\"), isText {
                index += 2
                continue
            }
            if byte == UInt8(ascii: "\"") { isText.toggle() }
            if !isText, byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) {
                let end =
                    json[index...].firstIndex { !(0x30...0x39).contains($0) && !"-.eE+".utf8.contains($0) }
                    ?? json.count
                places.append(index..<end)
                index = end
                continue
            }
            index += 1
        }
        guard let place = places.randomElement(using: &numbers), let other = extremes.randomElement(using: &numbers)
        else {
            return json
        }
        var changed = json
        changed.replaceSubrange(place, with: other.utf8)
        return changed
    }

    /// A capture with some bytes of one frame changed: lengths and counts stay.
    static func frame(in capture: [UInt8], using numbers: inout some RandomNumberGenerator) -> [UInt8] {
        var blocks = Blocks(capture)
        guard let index = blocks.all.indices.filter({ blocks.all[$0].type == 6 }).randomElement(using: &numbers) else {
            return capture
        }
        let length = blocks.all[index].bytes.count
        // Behind the header, and mostly in the frame's own.
        let end = Bool.random(using: &numbers) ? min(length - 4, 28 + 80) : length - 4
        guard end > 28 else { return capture }
        for _ in 0..<Int.random(in: 1...6, using: &numbers) {
            let value =
                [0, 0xFF, 0x45, 0x60, UInt8.random(in: 0...255, using: &numbers)].randomElement(using: &numbers) ?? 0
            blocks.all[index].bytes[Int.random(in: 28..<end, using: &numbers)] = value
        }
        return blocks.bytes
    }

    /// A capture with anything changed: a byte, a block, its end.
    static func block(in capture: [UInt8], using numbers: inout some RandomNumberGenerator) -> [UInt8] {
        var blocks = Blocks(capture)
        let index = Int.random(in: 0..<blocks.all.count, using: &numbers)
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0: blocks.all.remove(at: index)
        case 1: blocks.all.insert(blocks.all[index], at: Int.random(in: 0..<blocks.all.count, using: &numbers))
        case 2: return Array(capture.prefix(Int.random(in: 0..<capture.count, using: &numbers)))
        case 3:
            // Time, lengths and options.
            let place = Int.random(in: 0..<min(blocks.all[index].bytes.count, 28), using: &numbers)
            blocks.all[index].bytes[place] = UInt8.random(in: 0...255, using: &numbers)
        default:
            var changed = capture
            changed[Int.random(in: 0..<changed.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
            return changed
        }
        return blocks.bytes
    }
}
