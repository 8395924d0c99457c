import Capture
import Evidence
import Foundation
import Testing

extension WholeProgram {
    @Suite(
        "tshark, capinfos and tcpdump agree with the capture",
        .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel),
        .enabled(if: Drbench.hasTshark, "tshark is not installed"))
    struct CaptureAgrees {
        private func tool(_ arguments: String...) throws -> Drbench.Ended {
            try Drbench.start(arguments.dropFirst().map { $0 }, program: arguments[0])
        }

        @Test(
            "tshark counts each port's frames as the evidence does",
            arguments: ["standard-tools", "standard-tools/kilo", "standard-tools/icehouse", "standard-tools-nat"])
        func counts(_ scenario: String) async throws {
            let run = scenario == "standard-tools-nat" ? SharedRuns.toolsBehindNAT : SharedRuns.tools
            let results = try await run.value
            let path = results.path("\(RunResults.directory(of: scenario))/capture.pcapng")
            let ended = try tool(
                "/usr/bin/tshark", "-r", path, "-n", "-T", "fields", "-E", "separator=/t", "-e", "frame.interface_id",
                "-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "frame.len")
            #expect(ended.status == 0, ended.text)
            struct Frame: Equatable {
                var port: Int
                var name: String
                var time: String
                var length: Int
            }
            let seen = try ToolTexts.lines(ended.output).map { line in
                let fields = line.split(separator: "\t").map(String.init)
                try #require(fields.count == 4, "\(line)")
                return Frame(
                    port: try #require(Int(fields[0])), name: fields[1], time: fields[2],
                    length: try #require(Int(fields[3])))
            }
            let evidence = try results.evidence(scenario)
            let capture = try CaptureFile(path: path)
            #expect(capture.damage == nil)
            #expect(capture.ports.map(\.name) == evidence.ports.map(\.name))
            // Frame by frame, with the time to the nanosecond.
            #expect(
                seen
                    == capture.frames.map { frame in
                        let fraction = String(frame.time % 1_000_000_000 + 1_000_000_000).dropFirst()
                        return Frame(
                            port: frame.port, name: evidence.ports[frame.port].name,
                            time: "\(frame.time / 1_000_000_000).\(fraction)", length: frame.wireLength)
                    })
            for (index, port) in evidence.ports.enumerated() {
                #expect(seen.count { $0.port == index } == port.received, "\(port.name)")
                #expect(capture.statistics[index] == PortStatistics(delivered: port.received, dropped: 0))
                #expect(port.name == "\(port.namespace):\(port.interface)")
                let times = capture.frames.filter { $0.port == index }.map(\.time)
                #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }, "\(port.name) goes back in time")
            }
            #expect(evidence.ports.contains { $0.received > 0 })
            #expect(capture.frames.allSatisfy { $0.time >= evidence.started })
            #expect(capture.frames.allSatisfy { $0.time <= evidence.started + evidence.ended })
        }

        @Test("capinfos reads the whole file without complaint")
        func capinfos() async throws {
            let results = try await SharedRuns.tools.value
            let ended = try tool("/usr/bin/capinfos", "-M", results.path("standard-tools/capture.pcapng"))
            #expect(ended.status == 0 && ended.errors.isEmpty, ended.text)
            let evidence = try results.evidence("standard-tools")
            let count = try #require(
                ToolTexts.lines(ended.output).first { $0.hasPrefix("Number of packets:") }.flatMap {
                    ToolTexts.words($0).last
                })
            #expect(Int(count) == evidence.ports.reduce(0) { $0 + $1.received })
            #expect(ended.output.contains("Number of interfaces in file: \(evidence.ports.count)"), ended.text)
            #expect(ended.output.contains("Strict time order:   True"), ended.text)
        }

        /// `tcpdump -xx`: a line that is not indented for each frame, then lines `	0x0010:  0800 4500 …`.
        private func hexadecimalFrames(_ text: String) -> [String] {
            ToolTexts.lines(text).reduce(into: []) { frames, line in
                if line.hasPrefix("\t0x") {
                    frames[frames.count - 1] += ToolTexts.words(line).dropFirst().joined()
                } else {
                    frames.append("")
                }
            }
        }

        @Test("tcpdump in the guest sees the same frames at the same port")
        func tcpdump() async throws {
            let results = try await SharedRuns.besideTcpdump.value
            let evidence = try results.evidence("beside-tcpdump")
            func output(of step: String) throws -> String {
                try #require(evidence.steps.first { $0.name == step }?.command).output
            }
            #expect(try output(of: "what tcpdump said").contains("\n0 packets dropped by kernel"))
            let file = results.path("tcpdump.pcap")
            try #require(Data(base64Encoded: output(of: "what tcpdump wrote"))).write(to: URL(filePath: file))
            let dump = try tool(
                "/usr/bin/env", "tcpdump", "-r", file, "-n", "-xx", "-q")
            #expect(dump.status == 0, dump.text)
            let theirs = hexadecimalFrames(dump.output)
            let capture = try CaptureFile(path: results.path("beside-tcpdump/capture.pcapng"))
            let port = try #require(capture.port(named: "lb:eth0"))
            // From when it was surely listening until it was told to end; nothing happened at its edges.
            let from = try #require(evidence.steps.first { $0.name == "tcpdump starts" }).ended
            let to = try #require(evidence.steps.first { $0.name == "tcpdump ends" }).started
            let ours = capture.frames.filter {
                $0.port == port && (from...to).contains($0.time - evidence.started)
            }.map { frame in frame.octets.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined() }
            #expect(ours.count > 100)
            #expect(theirs == ours)
        }
    }
}
