import Testing

@testable import Scenario

@Test("try") func tryIt() throws {
    let library = ScenarioLibrary(scenarios: ["Scenarios"], topologies: "netns")
    let (scenarios, diagnostics) = library.load()
    for d in diagnostics { print(d.excerpt) }
    print(scenarios.map(\.fullName))
    #expect(diagnostics.isEmpty)
    for s in scenarios { for h in s.hosts { print(s.fullName, h.name, h.ports.map(\.id)) } }
}
