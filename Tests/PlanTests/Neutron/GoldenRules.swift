import Foundation
import Testing

@testable import Plan

/// One reference dump.
struct GoldenRules: Sendable, CustomTestStringConvertible {
    var version: String
    var driver: Neutron.Driver
    var placement: ReferenceDeployment.Placement
    var mode: ReferenceDeployment.Mode
    var usesIPSet: Bool
    var isIPv6: Bool
    var url: URL

    var testDescription: String { url.pathComponents.suffix(3).joined(separator: "/") }

    static let folder = Bundle.module.bundleURL.appending(path: "Golden/neutron")

    /// Every `.rules` file there is. One whose name cannot be read is in `unreadable`.
    static let all = found.compactMap { GoldenRules($0) }
    static let unreadable = found.filter { GoldenRules($0) == nil }

    private static let found: [URL] = {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "rules" }
            .sorted { $0.path < $1.path }
    }()

    init?(_ url: URL) {
        let path = url.pathComponents.suffix(3)
        guard path.count == 3, let name = path.last, let driver = path.dropFirst().first.flatMap(Neutron.Driver.init)
        else { return nil }
        var parts = name.split(separator: ".").map(String.init)
        guard parts.popLast() == "rules", let family = parts.popLast(), ["v4", "v6"].contains(family) else {
            return nil
        }
        usesIPSet = parts.last == "ipset"
        if usesIPSet { parts.removeLast() }
        guard parts.count == 2, let placement = ReferenceDeployment.Placement(rawValue: parts[0]),
            let mode = ReferenceDeployment.Mode(rawValue: parts[1])
        else { return nil }
        version = path[path.startIndex]
        self.driver = driver
        self.placement = placement
        self.mode = mode
        isIPv6 = family == "v6"
        self.url = url
    }

    /// The dump without its own comment lines.
    func expected() throws -> String {
        try String(contentsOf: url, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("#") }.joined(separator: "\n")
    }

    func generated() throws -> String {
        let rules = try ReferenceDeployment.rules(version, driver, placement, mode, usesIPSet: usesIPSet)
        return isIPv6 ? rules.ipv6 : rules.ipv4
    }
}

/// The first line in which two texts differ, with what surrounds it; nil if they are equal.
func firstDifference(_ actual: String, _ expected: String) -> String? {
    guard actual != expected else { return nil }
    let ours = actual.split(separator: "\n", omittingEmptySubsequences: false)
    let theirs = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(ours, theirs).enumerated().first { $1.0 != $1.1 }?.offset ?? min(ours.count, theirs.count)
    var text = "line \(line + 1) differs\n"
    for number in max(0, line - 3)..<line { text += "  \(ours[number])\n" }
    for number in line..<min(line + 4, ours.count) { text += "- \(ours[number])\n" }
    for number in line..<min(line + 4, theirs.count) { text += "+ \(theirs[number])\n" }
    return text + "(- generated, + Neutron's own)"
}
