import Foundation
import Synchronization

/// Workers that take inputs one after the other until time or number is up.
final class Session: Sendable {
    private let options: Options
    private let folder: String
    private let kept: KeptResults?
    private let deadline: UInt64
    private let next: Atomic<Int>
    private struct Tally {
        var inputs: [String: Int] = [:]
        var findings: [String: Int] = [:]
        /// Workers that could not go on.
        var broken = 0
    }
    private let tally = Mutex(Tally())

    init(_ options: Options) throws {
        self.options = options
        let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        folder = "\(memory)/drbench-fuzz-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: options.keep, withIntermediateDirectories: true)
        kept = Self.makeRun(options, folder)
        next = Atomic(options.first)
        deadline = DispatchTime.now().uptimeNanoseconds + UInt64(max(0, options.seconds) * 1e9)
    }

    private static func makeRun(_ options: Options, _ folder: String) -> KeptResults? {
        guard !Set(options.targets).isDisjoint(with: ["evidence", "capture", "results", "plan"]) else { return nil }
        let scenario = "arp-fwmark-local-route"
        let arguments = ["run", scenario, "--engine", "uml", "--seed", "1", "--out", "\(folder)/kept", "--quiet"]
        let outcome = try? Child.run(options.drbench, arguments, environment: environment(folder), seconds: 120)
        guard outcome?.end == .exited(0) else {
            say("fuzz: kept runs are left out: 'drbench run \(scenario)' gave none, which needs a lab kernel")
            return nil
        }
        return KeptResults(folder: "\(folder)/kept", scenario: scenario)
    }

    private static func environment(_ folder: String) -> [String] {
        ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(folder)", "DRBENCH_HOME=\(Corpus.repository)", "LC_ALL=C.UTF-8"]
    }

    /// - Returns: the exit status: 0 no finding, 1 findings, 3 if a worker could not go on or nothing was done.
    func run() -> Int32 {
        let done = DispatchSemaphore(value: 0)
        for worker in 0..<options.jobs {
            Thread.detachNewThread {
                do {
                    try self.work(worker)
                } catch {
                    say("fuzz: worker \(worker): \(error)")
                    self.tally.withLock { $0.broken += 1 }
                }
                done.signal()
            }
        }
        for _ in 0..<options.jobs { done.wait() }
        try? FileManager.default.removeItem(atPath: folder)
        return tally.withLock { tally in
            for (name, count) in tally.inputs.sorted(by: { $0.key < $1.key }) { print("\(name)  \(count) inputs") }
            for (name, count) in tally.findings.sorted(by: { $0.key < $1.key }) { print("FOUND  \(name)  \(count)") }
            let count = tally.findings.values.reduce(0, +)
            print(
                "\(tally.inputs.values.reduce(0, +)) inputs, \(count) findings"
                    + (count > 0 ? ", kept in \(options.keep)" : ""))
            return count > 0 ? 1 : tally.broken > 0 || tally.inputs.isEmpty ? 3 : 0
        }
    }

    private func work(_ number: Int) throws {
        let own = "\(folder)/w\(number)"
        var targets: [Target] = []
        for name in options.targets {
            let place = "\(own)/\(name)"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            guard let target = Target.named(name, in: place, kept: kept) else { continue }
            for fixture in target.fixtures { try Corpus.copy(fixture.from, to: fixture.to) }
            targets.append(target)
        }
        guard !targets.isEmpty else { return }
        while DispatchTime.now().uptimeNanoseconds < deadline {
            let input = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard input - options.first < options.count else { return }
            let target = targets[input % targets.count]
            try take(input, target, in: "\(own)/\(target.name)")
        }
    }

    private func take(_ input: Int, _ target: Target, in folder: String) throws {
        var numbers = Numbers(options.seed, target.name, input)
        guard let place = numbers.pick(target.places), let seed = numbers.pick(place.seeds) else { return }
        let commands = target.commands.filter { words in
            // Of several bundles and topologies, the one that is changed.
            let part = place.path.split(separator: "/").last.map(String.init) ?? ""
            let first = place.path.split(separator: "/").first.map(String.init) ?? ""
            switch target.name {
            case "import": return words[1].hasSuffix("/\(first)")
            case "topology": return words[1].hasSuffix("on-\(part)")
            default: return true
            }
        }
        guard let command = numbers.pick(commands) else { return }
        var mutator = Mutator(numbers: numbers)
        let bytes = mutator.changed(seed, place.kind)
        let path = "\(folder)/\(place.path)"
        try Data(bytes).write(to: URL(filePath: path))
        let outcome = try Child.run(
            options.drbench, command, environment: Self.environment(self.folder), seconds: 10)
        let finding = Finding(outcome, places: target.needsPlace)
        if let finding { try keep(finding, input, target, command, bytes, place, outcome) }
        if !target.fixtures.isEmpty || target.name == "measurements" {
            try Data(seed).write(to: URL(filePath: path))
        }
        tally.withLock { $0.inputs[target.name, default: 0] += 1 }
    }

    /// At most five of a kind.
    private func keep(
        _ finding: Finding, _ input: Int, _ target: Target, _ command: [String], _ bytes: [UInt8],
        _ place: Target.Place,
        _ outcome: Outcome
    ) throws {
        let kind = "\(target.name)-\(finding.name)"
        let count = tally.withLock { tally in
            tally.findings[kind, default: 0] += 1
            return tally.findings[kind, default: 0]
        }
        guard count <= 5 else { return }
        let folder = "\(options.keep)/\(kind)-\(input)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let name = place.path.replacing("/", with: "+")
        try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)"))
        try Data(outcome.output).write(to: URL(filePath: "\(folder)/output"))
        let text = """
            # \(finding): drbench \(command.joined(separator: " "))
            # \(name) stands for \(place.path)
            .build/debug/fuzz --drbench \(options.drbench) --seed \(options.seed) --target \(options.targets.joined(separator: ",")) \
            --first \(input) --count 1 --jobs 1 --keep \(options.keep)

            """
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/repeat.sh"))
        say("fuzz: \(kind): \(folder)")
    }
}
