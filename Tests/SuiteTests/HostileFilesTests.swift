import Foundation
import Testing

extension WholeProgram {
    @Suite(
        "Files and options that nobody should be able to hang or trap drbench with",
        .enabled(if: Drbench.isBuilt, Drbench.notBuilt))
    struct HostileFiles {
        private func validate(_ text: String, as name: String) async throws -> Drbench.Ended {
            let folder = try Drbench.emptyFolder(named: "hostile-\(name)")
            let file = "\(folder)/\(name).yaml"
            try Data(text.utf8).write(to: URL(filePath: file))
            return try await Drbench.run(["validate", file])
        }

        private static let head =
            "title: x\ntopology: one-hypervisor\nneutron: {release: 2014.1.5, driver: linuxbridge}\n"

        @Test("a scenario that expects nothing is invalid, with its place; so is a variant of which that is true")
        func expectsNothing() async throws {
            let alone = try await validate(Self.head + "timeline:\n  - wait: 1s\n", as: "nothing")
            #expect(alone.status == 2, alone.text)
            #expect(
                alone.errors.contains("nothing.yaml:1:1: error: nothing expects nothing, expected an 'expect'"),
                alone.text)
            let expecting =
                Self.head
                + "timeline:\n  - {wait: 1s, expect: [{counter: {on: lb, name: Ip.InReceives, grows: \">= 0\"}}]}\n"
            let variant = try await validate(
                expecting + "variants: {v: {title: y, timeline: [{wait: 1s}]}}\n", as: "variant")
            #expect(variant.status == 2, variant.text)
            #expect(variant.errors.contains("variant.yaml:6:12: error: variant/v expects nothing"), variant.text)
            let control = try await validate(expecting, as: "something")
            #expect(control.status == 0, control.text)
        }

        @Test("a scenario cannot have the name of results' own files")
        func ownFiles() async throws {
            for name in ["results.json", "index.html", "junit.xml", "measurements.json"] {
                let ended = try await validate(Self.head, as: name)
                #expect(ended.status == 2, ended.text)
                #expect(
                    ended.errors.contains("\(name).yaml:1:1: error: '\(name)' cannot be a scenario's name"), ended.text)
            }
        }

        @Test(
            "what is no regular file is refused by its kind",
            arguments: ["/dev/zero", "/dev/null", "/proc/self/ns/net", "/"])
        func kinds(_ path: String) async throws {
            let ended = try await Drbench.run(["validate", path])
            #expect(ended.status == 2, ended.text)
            #expect(ended.errors.contains("\(path):1:1: error: "), ended.text)
        }

        @Test(
            "options that are no numbers, too large or empty exit 2 and say what was expected",
            arguments: [
                ["run", "--timeout", "nan"], ["run", "--timeout", "inf"], ["run", "--timeout", "1e300"],
                ["run", "--timeout", "0"], ["run", "--jobs", "0"], ["run", "--jobs", "99999999"], ["run", "--out", ""],
                ["run", "--until", ""], ["run", "--kernel", "../x"], ["run", "--topologies", ""], ["run", ""],
                ["run", "--tag", ""], ["bench", "--timeout", "nan"], ["bench", "--repetitions", "99999999"],
                ["bench", "--out", ""], ["up", "x", "--out", ""], ["explain", "x", "--from", ""],
                ["mutate", "--jobs", "-1"],
                ["mutate", "--out", ""], ["report", ""], ["diff", "", "x"], ["compare", "--relevant-change", "nan"],
                ["history", "list", "--last", "0"], ["history", "list", "--history", ""],
                ["history", "plot", "--out", ""],
                ["kernel", "path", "../../x"], ["shell", ""], ["down", "--lab", ""],
            ])
        func options(_ arguments: [String]) async throws {
            let ended = try await Drbench.run(arguments)
            #expect(ended.status == 2, ended.text)
            #expect(
                ended.errors.contains("expected") || ended.errors.contains("Missing")
                    || ended.errors.contains("invalid"), ended.text)
        }
    }
}
