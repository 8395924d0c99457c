import Capture
import Evidence
import Foundation
import Reading
import Scenario
import Testing
import Verdict

extension WholeProgram {
    @Suite(
        "Journeys of the shipped scenarios with drops",
        .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct JourneysAgree {
        private static let scenarios: [Scenario] = {
            let library = ScenarioLibrary(
                scenarios: [Drbench.repository + "Scenarios"], topologies: Drbench.repository + "netns")
            return library.load().scenarios.filter { scenario in
                (scenario.expectations + scenario.timeline.flatMap(\.expectations)).contains {
                    if case .drop = $0.check { true } else { false }
                }
            }
        }()

        /// One run of them all.
        private static let results = Task {
            let folder = try Drbench.emptyFolder(named: "journeys")
            let names = scenarios.map(\.fullName)
            let ended = try await Drbench.run(
                ["run", "--engine", "uml", "--seed", "1", "--quiet", "--out", folder] + names)
            try #require(ended.status == 0, ended.text)
            return RunResults(folder: folder)
        }

        @Test("the blame for each drop is the rule that the scenario's expectation names, and none is undecided")
        func blame() async throws {
            let results = try await Self.results.value
            #expect(Self.scenarios.count >= 20)
            for scenario in Self.scenarios {
                let evidence = try results.evidence(scenario.fullName)
                let frames = try frames(results, scenario.fullName, evidence)
                #expect(
                    Journeys.disagreements(scenario: scenario, evidence: evidence, frames: frames) == [],
                    "\(scenario.fullName)")
                for journey in Journeys(scenario: scenario, evidence: evidence, frames: frames).journeys {
                    for end in [journey.end] + (journey.lostCopies ?? []).map(\.end) {
                        guard case .undecided(let causes) = end else { continue }
                        Issue.record("\(scenario.fullName) #\(journey.number): undecided between \(causes)")
                    }
                }
            }
        }

        @Test(
            "tshark finds the same frames of a TCP packet, joined by IP id, ports and sequence number",
            .enabled(if: Drbench.hasTshark, "tshark is not installed"))
        func oracle() async throws {
            let results = try await Self.results.value
            var compared = 0
            for scenario in Self.scenarios {
                let evidence = try results.evidence(scenario.fullName)
                let frames = try frames(results, scenario.fullName, evidence)
                let journeys = Journeys(scenario: scenario, evidence: evidence, frames: frames).journeys
                let ended = try Drbench.start(
                    [
                        "-r", results.path("\(RunResults.directory(of: scenario.fullName))/capture.pcapng"), "-n", "-o",
                        "tcp.relative_sequence_numbers:FALSE", "-Y", "tcp && !icmp && ip.id != 0", "-T", "fields", "-E",
                        "separator=/t", "-e", "frame.number", "-e", "ip.id", "-e", "ip.src", "-e", "ip.dst", "-e",
                        "tcp.srcport", "-e", "tcp.dstport", "-e", "tcp.seq_raw", "-e", "tcp.ack_raw", "-e", "tcp.flags",
                    ], program: "/usr/bin/tshark")
                #expect(ended.status == 0, ended.text)
                var theirs: [String: Set<Int>] = [:]
                for line in ToolTexts.lines(ended.output) {
                    let fields = line.split(separator: "\t", maxSplits: 1).map(String.init)
                    guard fields.count == 2, let number = Int(fields[0]) else { continue }
                    theirs[fields[1], default: []].insert(number - 1)
                }
                var ours: [Int: Journey] = [:]
                for journey in journeys { for hop in journey.hops { ours[hop.frame] = journey } }
                for (key, numbers) in theirs {
                    let packets = Set(numbers.compactMap { ours[$0]?.number })
                    #expect(packets.count == 1, "\(scenario.fullName): \(key) is of \(packets)")
                    guard let frame = numbers.first(where: { ours[$0] != nil }), let journey = ours[frame] else {
                        continue
                    }
                    #expect(
                        journey.hops.count + journey.copies == numbers.count
                            && Set(journey.hops.map(\.frame)).isSubset(of: numbers),
                        "\(scenario.fullName): \(key): #\(journey.number), frames \(numbers.sorted())")
                    compared += 1
                }
            }
            #expect(compared > 100)
        }

        private func frames(_ results: RunResults, _ name: String, _ evidence: Evidence) throws -> [RunFrame] {
            try CaptureFile(path: results.path("\(RunResults.directory(of: name))/capture.pcapng")).frames.map {
                RunFrame(
                    port: $0.port, time: $0.time - evidence.started, wireLength: $0.wireLength,
                    octets: $0.octets)
            }
        }
    }
}
