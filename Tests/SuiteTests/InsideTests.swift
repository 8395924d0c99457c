import Evidence
import Foundation
import Testing

extension WholeProgram {
    /// Being inside a lab: `up`, `shell`, `down`.
    @Suite("A lab that is up", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Inside {
        private static let scenario = "cross-hv-p-old"

        @Test("commands run in its hosts and hypervisors, several at once, with their exit status and streams")
        func commands() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--engine", "uml"], folder: "commands")
            let greeting = try await lab.ready()
            for word in ["hv1", "203.0.113.2", "drbench shell lb", "conntrack -L", "nothing of its timeline"] {
                #expect(greeting.contains(word), Comment(rawValue: greeting))
            }
            let addresses = try await lab.shell("lb", "ip", "-br", "addr")
            #expect(addresses.status == 0 && addresses.output.contains("203.0.113.2"), addresses.text)
            let table = try await lab.shell("lb", "ipvsadm", "-Ln")
            #expect(table.output.contains("203.0.113.2:80"), table.text)
            let rules = try await lab.shell("hv1", "iptables-legacy", "-nL")
            #expect(rules.output.contains("INVALID"), rules.text)
            let names = try await lab.shell("lb", "ip", "netns", "list")
            for name in ["client", "lb", "rs1", "rs2", "hv1", "hv2"] {
                #expect(names.output.split(whereSeparator: \.isWhitespace).contains(Substring(name)), names.text)
            }
            let other = try await lab.shell("lb", "ip", "netns", "exec", "rs1", "ip", "-br", "link")
            let own = try await lab.shell("rs1", "ip", "-br", "link")
            #expect(other.status == 0 && other.output == own.output && own.output.contains("eth0"), other.text)
            // What passes is what a command writes, and its status; its two outputs stay apart.
            let ended = try await lab.shell("rs1", "sh", "-c", "echo out; echo err >&2; exit 7")
            #expect(ended.status == 7 && ended.output == "out\n" && ended.errors == "err\n", ended.text)
            let killed = try await lab.shell("rs1", "sh", "-c", "kill -9 $$")
            #expect(killed.status == 128 + 9, killed.text)
            let absent = try await lab.shell("rs1", "no-such-program")
            #expect(absent.status == 127 && absent.errors.contains("no-such-program: not found"), absent.text)
            let much = try await lab.shell("rs1", "head", "-c", "300000", "/dev/zero")
            #expect(much.output.utf8.count == 300_000)
            // Two at once: neither waits for the other's end.
            async let first = lab.shell("client", "sh", "-c", "ping -c 3 -i 0.3 192.0.2.99 > /dev/null; echo one")
            async let second = lab.shell("rs2", "echo", "two")
            #expect(try await [first.output, second.output] == ["one\n", "two\n"])
            let misspelt = try await lab.shell("hv11", "true")
            #expect(misspelt.status == 2 && misspelt.errors.contains("did you mean 'hv1'?"), misspelt.text)
            let down = try await lab.drbench("down")
            #expect(down.status == 0, down.text)
            let (status, text) = await lab.ended()
            #expect(status == 0, Comment(rawValue: text))
            let results = RunResults(folder: lab.folder + "/out")
            let evidence = try results.evidence(Self.scenario)
            #expect(evidence.complete && evidence.steps.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: lab.runtime).isEmpty)
            let gone = try await lab.shell("lb", "true")
            #expect(gone.status == 3 && gone.errors.contains("'drbench up NAME'"), gone.text)
        }

        @Test("capturing goes on while people are there, and Ctrl-C ends it in order")
        func capture() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--until", "1", "--engine", "uml"], folder: "capture")
            #expect(try await lab.ready().contains("after step 1 of "))
            let inside = try await lab.shell("client", "ping", "-c", "2", "-i", "0.2", "192.0.2.99")
            #expect(inside.output.contains("2 packets transmitted"), inside.text)
            lab.signal(SIGINT)
            let (status, text) = await lab.ended()
            #expect(status == 0, Comment(rawValue: text))
            let evidence = try RunResults(folder: lab.folder + "/out").evidence(Self.scenario)
            #expect(evidence.complete && evidence.steps.count == 1)
            #expect(evidence.ports.allSatisfy { $0.dropped == 0 })
            let client = try #require(evidence.ports.first { $0.namespace == "client" })
            #expect(client.received >= 12, "the step's frames, and the pings")
        }

        @Test("its clock goes on like the host's, and conntrack entries grow old by it")
        func clock() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--until", "1", "--engine", "uml"], folder: "clock")
            _ = try await lab.ready()
            func look() async throws -> (clock: Double, left: Int, host: ContinuousClock.Instant) {
                let ended = try await lab.shell(
                    "hv1", "sh", "-c", "cut -d' ' -f1 /proc/uptime; conntrack -L 2>/dev/null | sort -k3 -n")
                let lines = ToolTexts.lines(ended.output)
                let left = lines.dropFirst().compactMap { line in
                    ToolTexts.words(line).dropFirst(2).first.flatMap { Int($0) }
                }
                return (
                    try #require(lines.first.flatMap { Double($0) }, ended.text), try #require(left.max(), ended.text),
                    .now
                )
            }
            let before = try await look()
            let pause = try await lab.shell("hv1", "sleep", "3")
            #expect(pause.status == 0)
            let after = try await look()
            let host = (after.host - before.host) / .seconds(1)
            let guest = after.clock - before.clock
            #expect(abs(guest - host) < 1, "\(guest) s passed inside, \(host) s outside")
            #expect(abs(Double(before.left - after.left) - host) <= 2, "\(before.left) s left, then \(after.left)")
            _ = try await lab.drbench("down")
            #expect(await lab.ended().status == 0)
        }

        @Test("a shell has a terminal: its size, job control, and the program's end")
        func terminal() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--engine", "uml"], folder: "terminal")
            _ = try await lab.ready()
            let terminal = try TestTerminal(rows: 33, columns: 111)
            let shell = try terminal.start(["shell", "lb"], environment: lab.environment)
            defer { kill(shell.processIdentifier, SIGKILL) }
            try await terminal.say("", expecting: "lb")
            try await terminal.say("stty size\n", expecting: "33 111")
            // The echo of what is typed is not what it prints; and once that is printed, it has the terminal, not the shell.
            try await terminal.say(
                #"sh -c 'echo sta""rted; exec sleep 100'"# + "\n", expecting: "started", thenAsks: false)
            // Ctrl-C goes to the program inside, not to drbench.
            try await terminal.say("\u{3}", expecting: "^C")
            try await terminal.say("echo status=$?\n", expecting: "status=130")
            try await terminal.say("sleep 50 & jobs\n", expecting: "Running")
            terminal.resize(rows: 44, columns: 122)
            kill(shell.processIdentifier, SIGWINCH)
            try await terminal.say("stty size\n", expecting: "44 122")
            try await terminal.say("exit 5\n", expecting: "exit", thenAsks: false)
            #expect(
                await LabThatIsUp.blocking {
                    shell.waitUntilExit()
                    return shell.terminationStatus
                } == 5)
            // What the shell left running was hung up or reaped: nothing of it is a zombie.
            let zombies = try await lab.shell("lb", "sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status; true")
            #expect(zombies.output.isEmpty, zombies.text)
            _ = try await lab.drbench("down")
            #expect(await lab.ended().status == 0)
        }

        @Test("a client that is killed takes its program with it; the lab stays")
        func killedClient() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--engine", "uml"], folder: "killed-client")
            _ = try await lab.ready()
            let process = Process()
            process.executableURL = URL(filePath: try #require(Drbench.program))
            process.arguments = ["shell", "lb", "--", "sh", "-c", "echo there; exec sleep 1234"]
            process.environment = ProcessInfo.processInfo.environment.merging(lab.environment) { $1 }
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let said = await LabThatIsUp.blocking { pipe.fileHandleForReading.availableData }
            #expect(String(decoding: said, as: UTF8.self) == "there\n")
            kill(process.processIdentifier, SIGKILL)
            let look =
                "for i in 1 2 3 4 5 6 7 8 9; do grep -qa 1234 /proc/[0-9]*/cmdline || exit 0; sleep 0.5; done; exit 1"
            // The look's own words would find themselves: from its standard input nobody sees them.
            let gone = try await lab.shell("lb", "sh", "-c", look.replacingOccurrences(of: "1234", with: "'12''34'"))
            #expect(gone.status == 0, gone.text)
            _ = try await lab.drbench("down")
            #expect(await lab.ended().status == 0)
        }

        @Test("a second lab of one name is refused, one of another is not, and then a shell must say which")
        func several() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--engine", "uml"], folder: "several")
            _ = try await lab.ready()
            let again = try await lab.drbench("up", Self.scenario, "--engine", "uml", "--out", lab.folder + "/again")
            #expect(again.status == 3 && again.errors.contains("is up already"), again.text)
            let other = try LabThatIsUp(
                ["up", "\(Self.scenario)/newton", "--engine", "uml"], folder: "several-2", runtime: lab.runtime)
            _ = try await other.ready()
            let which = try await lab.shell("lb", "true")
            #expect(which.status == 2 && which.errors.contains("\(Self.scenario)/newton"), which.text)
            let named = try await lab.drbench("shell", "--lab", "\(Self.scenario)/newton", "lb", "--", "echo", "here")
            #expect(named.output == "here\n", named.text)
            for each in [Self.scenario, "\(Self.scenario)/newton"] {
                #expect(try await lab.drbench("down", each).status == 0)
            }
            #expect(await lab.ended().status == 0)
            #expect(await other.ended().status == 0)
        }

        @Test("kill -9 of a lab is noticed by its clients, and its name is free at once")
        func killed() async throws {
            let lab = try LabThatIsUp(["up", Self.scenario, "--engine", "uml"], folder: "killed")
            _ = try await lab.ready()
            async let client = lab.shell("lb", "sleep", "1000")
            _ = try await lab.shell("lb", "sleep", "0.5")
            lab.signal(SIGKILL)
            let ended = try await client
            #expect(ended.status == 3 && ended.errors.contains("has ended"), ended.text)
            #expect(await lab.ended().status == -SIGKILL)
            let next = try LabThatIsUp(
                ["up", Self.scenario, "--engine", "uml"], folder: "killed-2", runtime: lab.runtime)
            _ = try await next.ready()
            _ = try await next.drbench("down")
            #expect(await next.ended().status == 0)
        }
    }
}
