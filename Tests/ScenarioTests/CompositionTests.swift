import Net
import Testing

@testable import Reading
@testable import Scenario

@Suite("Parameters, matrices and mutations")
struct CompositionTests {
    private static let topology = """
        networks: {n: {cidr: 192.0.2.0/24}}
        switches: [sw]
        hosts:
          a: {on: sw, ports: {eth0: {addresses: [192.0.2.1/24]}}}
          b: {on: sw, ports: {eth0: {addresses: [192.0.2.2/24]}}, servers: [{http: 80}]}
        """

    private func read(_ text: String, mutants: Bool = false) -> ScenarioFile {
        let checks = ScenarioChecks()
        let topology = Topology(Self.topology, file: "net.yaml", checks: checks)
        var file = ScenarioFile(
            name: "s", file: "s.yaml",
            topologies: TopologySource(names: ["net"]) { $0 == "net" ? topology : nil }, checks: checks,
            collectsMutants: mutants)
        file.read(text)
        return file
    }

    private static let get = """
        timeline:
          - name: get
            http: {from: a, to: "192.0.2.2:80", count: $(count)}
            expect: [{traffic: {outcomes: $(outcomes)}}]
        """

    @Test("a parameter stands for a value, a list, or a part of a text")
    func parameters() throws {
        let file = read(
            """
            title: $(count) requests to $(server)
            topology: $(net)
            parameters: {net: net, count: 2, server: b, outcomes: [b, b]}
            \(Self.get)
            """)
        #expect(file.diagnostics.map(\.description) == [])
        let scenario = try #require(file.scenarios.first)
        #expect(scenario.title == "2 requests to b")
        guard case .request(let request) = scenario.timeline.first?.action else {
            Issue.record("no request")
            return
        }
        #expect(request.count == 2)
        #expect(scenario.timeline.first?.expectations.map(\.check) == [.traffic(.init(outcomes: ["b", "b"]))])
    }

    @Test("a variant changes parameters")
    func variant() {
        let file = read(
            """
            title: one
            topology: net
            parameters: {count: 1, outcomes: [b]}
            \(Self.get)
            variants:
              two: {title: two, parameters: {count: 2, outcomes: [b, b]}}
            """)
        #expect(file.diagnostics.map(\.description) == [])
        #expect(
            file.scenarios.map { $0.timeline[0].expectations.map(\.check) } == [
                [.traffic(.init(outcomes: ["b"]))], [.traffic(.init(outcomes: ["b", "b"]))],
            ])
    }

    @Test("without parameters, and behind another '$', '$(' stands for itself")
    func literal() {
        func command(_ head: String, _ word: String) -> [String]? {
            let file = read(
                """
                title: t
                topology: net
                \(head)
                timeline: [{run: {on: a, command: [sh, -c, "\(word)"]}}]
                """)
            #expect(file.diagnostics.map(\.description) == [])
            guard case .run(_, let arguments, _) = file.scenarios.first?.timeline.first?.action else { return nil }
            return arguments
        }
        #expect(command("", "echo $(HOME)") == ["sh", "-c", "echo $(HOME)"])
        #expect(command("parameters: {x: 1}", "echo $$(HOME) $(x)") == ["sh", "-c", "echo $(HOME) 1"])
    }

    @Test(
        "mistakes with parameters are told where they stand",
        arguments: [
            ("parameters: {outcome: [b], count: 1}", "s.yaml:7:35: error: unknown parameter 'outcomes'"),
            (
                "parameters: {Count: 1, count: 1, outcomes: [b]}",
                "s.yaml:3:14: error: 'Count' cannot be a parameter's name"
            ),
            (
                "parameters: {outcomes: $(count), count: [$(outcomes)]}",
                "s.yaml:3:14: error: parameter 'outcomes' stands for itself"
            ),
            ("parameters: [count]", "s.yaml:3:13: error: found a list, expected a mapping from each parameter's name"),
        ])
    func mistakes(_ head: String, _ expected: String) {
        let file = read("title: t\ntopology: net\n\(head)\n\(Self.get)")
        #expect(
            file.diagnostics.contains { $0.description.hasPrefix(expected) }, "\(file.diagnostics.map(\.description))")
    }

    private static let matrix = """
        title: table
        topology: net
        parameters: {outcomes: [b]}
        matrix:
          count: [1, 2]
          server:
            up: ~
            down: {hosts: {b: {servers: []}}, parameters: {outcomes: [refused]}}
        cells:
          2-up: {title: special, parameters: {outcomes: [b, b]}}
          2-down: {parameters: {outcomes: [refused, refused]}}
        \(get)
        """

    @Test("a matrix is one scenario for each combination, in order, and none for the file itself")
    func matrix() {
        let file = read(Self.matrix)
        #expect(file.diagnostics.map(\.description) == [])
        #expect(file.scenarios.map(\.fullName) == ["s/1-up", "s/1-down", "s/2-up", "s/2-down"])
        #expect(file.scenarios.map(\.title) == ["table: 1, up", "table: 1, down", "special", "table: 2, down"])
        #expect(file.scenarios.map { $0.hosts.last?.servers.count } == [1, 0, 1, 0])
        #expect(
            file.scenarios.map { $0.timeline[0].expectations.map(\.check) } == [
                [.traffic(.init(outcomes: ["b"]))], [.traffic(.init(outcomes: ["refused"]))],
                [.traffic(.init(outcomes: ["b", "b"]))], [.traffic(.init(outcomes: ["refused", "refused"]))],
            ])
    }

    @Test(
        "mistakes in a matrix are told where they stand",
        arguments: [
            ("matrix: {count: []}", "found a list, expected the axis's values"),
            ("matrix: {count: [A]}", "'A' cannot be a value's name"),
            ("matrix: {count: [1]}\ncells: {3: {}}", "unknown cell '3'"),
            ("cells: {}", "'cells' without 'matrix'"),
            ("matrix: {count: [1, [2]]}", "found a list, expected the axis's values"),
            ("matrix: {}", "found a mapping, expected a mapping from each axis's name"),
        ])
    func matrixMistakes(_ head: String, _ expected: String) {
        let file = read("title: t\ntopology: net\nparameters: {outcomes: [b], count: 1}\n\(head)\n\(Self.get)")
        #expect(
            file.diagnostics.contains { $0.description.contains(expected) }, "\(file.diagnostics.map(\.description))")
    }

    @Test("a scenario's expectations in its variants' networks are mutants, and so is each change that is written")
    func mutants() throws {
        let text = """
            title: t
            topology: net
            parameters: {count: 1, outcomes: [b]}
            \(Self.get)
            mutations:
              silent: {title: nobody listens, hosts: {b: {servers: []}}}
              idle: {title: nothing happens, without: get}
            variants:
              down:
                title: nobody listens
                hosts: {b: {servers: []}}
                parameters: {outcomes: [refused]}
              same: {title: other words only, parameters: {outcomes: [b]}}
            """
        let file = read(text, mutants: true)
        #expect(file.diagnostics.map(\.description) == [])
        #expect(
            file.mutants.map { "\($0.original) \($0.scenario.fullName): \($0.change)" } == [
                "s s/+silent: nobody listens", "s s/+idle: nothing happens", "s s/+down: the set-up of /down",
                "s/down s/down+s: the set-up of /s", "s/down s/down+same: the set-up of /same",
                "s/same s/same+down: the set-up of /down",
            ])
        let idle = try #require(file.mutants.first { $0.scenario.variant == "+idle" })
        #expect(idle.scenario.timeline == [])
        let down = try #require(file.mutants.first { $0.scenario.variant == "+down" })
        #expect(down.scenario.hosts.last?.servers == [])
        #expect(down.scenario.timeline[0].expectations.map(\.check) == [.traffic(.init(outcomes: ["b"]))])
        #expect(read(text).mutants.map(\.change) == ["nobody listens", "nothing happens"])
    }

    @Test("'without' also names what happens meanwhile; without anything there is no such key")
    func withoutMeanwhile() throws {
        let text = """
            title: t
            topology: net
            timeline:
              - wait: 2s
                meanwhile:
                  - {name: one, after: 0s, power_off: b}
                  - {name: two, after: 1s, power_off: b}
            mutations:
              first: {title: without the first, without: one}
              both: {title: without both, without: [one, two]}
            """
        let file = read(text, mutants: true)
        #expect(file.diagnostics.map(\.description) == [])
        #expect(file.mutants.map { $0.scenario.timeline[0].meanwhile.map(\.name) } == [["two"], []])
    }

    @Test(
        "a mutation's mistakes are told",
        arguments: [
            ("{hosts: {}}", "mutation 'm' needs 'title'"),
            ("{title: x, expect: []}", "a mutation changes the set-up, not the expect"),
            ("{title: x, without: gets}", "unknown step 'gets'"),
            ("{title: x, hosts: {b: {servrs: []}}}", "unknown key 'servrs' in a host"),
            ("5", "found the number 5, expected a mutation"),
        ])
    func mutationMistakes(_ mutation: String, _ expected: String) {
        let file = read(
            "title: t\ntopology: net\nparameters: {count: 1, outcomes: [b]}\nmutations: {m: \(mutation)}\n\(Self.get)")
        #expect(
            file.diagnostics.contains { $0.description.contains(expected) }, "\(file.diagnostics.map(\.description))")
    }
}
