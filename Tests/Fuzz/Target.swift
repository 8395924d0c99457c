import Foundation

/// A kind of input: what its files are, and what is done with them.
struct Target {
    /// A file that is changed.
    struct Place {
        /// Below the target's folder.
        var path: String
        var kind: Kind
        /// What it begins as; several for a file that can be any of them.
        var seeds: [[UInt8]]
    }

    var name: String
    /// One of them is changed for each input; the others stay.
    var places: [Place]
    /// What drbench is called with, one of them for each input.
    var commands: [[String]]
    /// Whether exit status 2 must have a place.
    var needsPlace = true
    /// What each worker has in its folder beside the places, by path.
    var fixtures: [(from: String, to: String)] = []

    static let names = ["scenario", "topology", "import", "evidence", "capture", "results", "plan", "measurements"]

    /// - Parameters:
    ///   - folder: the worker's.
    ///   - kept: the results of a run.
    /// - Returns: nil if there is nothing to begin with.
    static func named(_ name: String, in folder: String, kept: KeptResults?) -> Target? {
        let repository = Corpus.repository
        switch name {
        case "scenario":
            let seeds = Corpus.files(["Scenarios", "Tests/SuiteTests/Scenarios", "Tests/Fuzz/Corpus"], ".yaml")
            return Target(
                name: name, places: [Place(path: "x.yaml", kind: .yaml, seeds: seeds.map(\.bytes))],
                commands: [
                    ["validate", "\(folder)/x.yaml"], ["validate", "\(folder)/x.yaml"], ["list", "\(folder)/x.yaml"],
                    ["graph", "\(folder)/x.yaml"],
                ])
        case "topology":
            let topologies = Corpus.files(["netns"], ".yaml")
            return Target(
                name: name,
                places: topologies.map { Place(path: "netns/\($0.name)", kind: .yaml, seeds: [$0.bytes]) },
                commands: topologies.map { topology in
                    let scenario = "\(folder)/on-\(topology.name)"
                    let text = "title: x\ntopology: \(topology.name.dropLast(5))\ntimeline: [{wait: 1s}]\n"
                    try? Data(text.utf8).write(to: URL(filePath: scenario))
                    return ["validate", scenario, "--topologies", "\(folder)/netns"]
                }, fixtures: [(repository + "netns", "\(folder)/netns")])
        case "import":
            var places: [Place] = []
            var fixtures: [(String, String)] = []
            for bundle in ["newton", "juno-hybrid"] {
                let base = repository + "Tests/ImportTests/Bundles/\(bundle)"
                fixtures.append((base, "\(folder)/\(bundle)"))
                for path in ((try? FileManager.default.subpathsOfDirectory(atPath: base)) ?? []).sorted() {
                    guard path.contains("."), let data = FileManager.default.contents(atPath: "\(base)/\(path)") else {
                        continue
                    }
                    let kind = path.hasSuffix(".json") ? Kind.json : .lines
                    places.append(Place(path: "\(bundle)/\(path)", kind: kind, seeds: [[UInt8](data)]))
                }
            }
            return Target(
                name: name, places: places,
                commands: ["newton", "juno-hybrid"].map { ["import", "\(folder)/\($0)", "--force"] }, fixtures: fixtures
            )
        case "measurements":
            let seeds = Corpus.files(["Tests/Fuzz/Corpus"], ".json")
            guard let first = seeds.first else { return nil }
            try? Data(first.bytes).write(to: URL(filePath: "\(folder)/other.json"))
            return Target(
                name: name, places: [Place(path: "m.json", kind: .json, seeds: seeds.map(\.bytes))],
                commands: [
                    ["compare", "\(folder)/m.json", "\(folder)/other.json", "--history", "\(folder)/none.sqlite"],
                    [
                        "compare", "\(folder)/other.json", "\(folder)/m.json", "--format", "json", "--history",
                        "\(folder)/none.sqlite",
                    ],
                    ["history", "import", "\(folder)/m.json", "--history", "\(folder)/h.sqlite"],
                ], needsPlace: false)
        default:
            guard let kept else { return nil }
            return keptRun(name, in: folder, kept)
        }
    }

    private static func keptRun(_ name: String, in folder: String, _ kept: KeptResults) -> Target? {
        let run = "\(folder)/run"
        let (path, kind): (String, Kind) =
            switch name {
            case "evidence": ("\(kept.scenario)/evidence.json", .json)
            case "capture": ("\(kept.scenario)/capture.pcapng", .pcapng)
            case "plan": ("\(kept.scenario)/plan.json", .json)
            default: ("results.json", .json)
            }
        guard let data = FileManager.default.contents(atPath: "\(kept.folder)/\(path)") else { return nil }
        var commands = [
            ["report", run], ["diff", run, kept.folder], ["diff", kept.folder, run, "--json"],
        ]
        if name != "results" {
            commands += [
                ["report", "\(run)/\(kept.scenario)"], ["explain", kept.scenario, "--from", run],
                ["explain", kept.scenario, "--from", run, "--json"],
            ]
        }
        return Target(
            name: name, places: [Place(path: "run/\(path)", kind: kind, seeds: [[UInt8](data)])], commands: commands,
            needsPlace: false, fixtures: [(kept.folder, run)])
    }
}

/// The results of a run that stay as they are.
struct KeptResults {
    var folder: String
    var scenario: String
}
