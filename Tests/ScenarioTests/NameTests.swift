import Testing

@testable import Reading
@testable import Scenario

@Suite("Names that would be no file's, folder's or interface's name are refused")
struct NameTests {
    private func isRefused(scenario name: String) -> Bool {
        Sample.read(Sample.head, name: name).diagnostics.contains { $0.message.contains("cannot be a scenario's name") }
    }

    @Test("a scenario has no name of drbench's own files among results, and none that is no folder's")
    func scenarios() {
        let own = ReservedNames.inResults + ["throughput.svg", ".again", ".drbench-results"]
        let impossible = [
            "", ".", "..", "a/b", "a b", "a\u{1B}[31m", "a\nb", "ä", "A", "-a", "_a", "\u{202E}a",
            String(repeating: "a", count: Limits.scenarioName + 1),
        ]
        for name in own + impossible { #expect(isRefused(scenario: name), "\(name)") }
        for name in [
            "a", "results", "rules", "plan.json", "0", "a.again", String(repeating: "a", count: Limits.scenarioName),
        ] {
            #expect(!isRefused(scenario: name), "\(name)")
        }
    }

    @Test("variants have folders of their own kind: any name of a file will do, and nothing else")
    func variants() {
        func mistakes(_ name: String) -> [String] { Sample.mistakes("variants: {\(name): {title: t}}") }
        for name in ReservedNames.inRun + ReservedNames.inResults { #expect(mistakes(name) == [], "\(name)") }
        for name in [".", "..", "a/b", "\"a\\eb\"", "\"\"", String(repeating: "v", count: Limits.scenarioName + 1)] {
            #expect(mistakes(name).first?.contains("cannot be a variant's name") ?? false, "\(name)")
        }
    }

    @Test(
        "hosts, hypervisors and switches are interfaces' names on switches",
        arguments: [
            "all", "default", "lo", "a.b", "a/b", "a b", "a:b", "sixteen-letters-", "\"a\\nb\"", ".", "..", "1a",
            "\"\"",
        ])
    func namespaces(_ name: String) {
        for kind in ["host", "hypervisor", "switch"] {
            let told = Sample.mistakes("\(kind == "switch" ? "switches" : kind + "s"): {\(name): {}}")
            #expect(told.contains { $0.contains("cannot be a \(kind)'s name") }, "\(told)")
        }
        #expect(Sample.mistakes("hosts: {fifteen-letters: {}}") == [])
    }

    @Test(
        "ports and interfaces have names that Linux and its tools take",
        arguments: ["all", "default", "a/b", "a b", "a:b", "sixteen-letters-", "\"a\\tb\"", ".", "..", "\"\""])
    func interfaces(_ name: String) {
        let interface = Sample.mistakes("hosts: {lb: {interfaces: {\(name): {addresses: [192.0.2.1/32]}}}}")
        #expect(
            interface.contains {
                $0.contains("cannot be a interface's name") || $0.contains("cannot be an interface's name")
            }, "\(interface)")
        let port = Sample.mistakes("hosts: {lb: {ports: {\(name): {on: fab, network: public}}}}")
        #expect(port.contains { $0.contains("cannot be a port's name") }, "\(port)")
    }

    @Test("networks, groups, services, programs and connections have short words")
    func words() {
        let long = String(repeating: "n", count: Limits.word + 1)
        for body in [
            "networks: {\(long): {cidr: 192.0.2.0/24}}", "security_groups: {\(long): {rules: []}}",
            "hosts: {lb: {programs: {\(long): {command: x}}}}", "hosts: {lb: {programs: {a/b: {command: x}}}}",
            "services: {\(long): {on: lb, tcp: \"203.0.113.2:80\", real_servers: []}}", "parameters: {\(long): 1}",
        ] {
            #expect(Sample.mistakes(body).contains { $0.contains("name, expected at most 63") }, "\(body)")
        }
    }

    @Test(
        "a program's files lie below its own folders",
        arguments: [
            "/run", "/run/", "/run/../etc/passwd", "/run/./a", "/run//a", "/etc/passwd", "run/a", "/runx/a",
            "\"/run/a\\0b\"",
            "\"/run/a\\nb\"", "\"/run/a\\eb\"", "\"/run/a b\"", "/run/" + String(repeating: "a", count: 255), "\"\"",
        ])
    func programFiles(_ path: String) {
        func mistakes(_ path: String) -> [String] {
            Sample.mistakes("hosts: {lb: {programs: {p: {command: x, files: {\(path): text}}}}}")
        }
        #expect(mistakes(path).contains { $0.contains("is no place for a program's file") }, "\(mistakes(path))")
        #expect(mistakes("/run/p/p.conf") == [])
    }

    @Test("two files of one name would share a folder")
    func sameName() throws {
        let folder = try Folder()
        try folder.write("title: a\ntopology: net\n", to: "s/one/same.yaml")
        try folder.write("title: b\ntopology: net\n", to: "s/two/same.yaml")
        try folder.write(Sample.topology, to: "t/net.yaml")
        let library = ScenarioLibrary(scenarios: ["\(folder.path)/s"], topologies: "\(folder.path)/t")
        #expect(library.load().diagnostics.contains { $0.message.contains("a scenario 'same' is in") })
        let both = library.load(files: ["one", "two"].map { "\(folder.path)/s/\($0)/same.yaml" }, words: [])
        #expect(both.diagnostics.contains { $0.message.contains("a scenario 'same' is in") })
    }
}
