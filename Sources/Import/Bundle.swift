internal import FoundationEssentials
internal import Text

/// What a support bundle's folder holds: one folder for each machine, with what its tools print.
struct Bundle {
    /// A file that a machine's folder can have.
    enum File: String, CaseIterable {
        case iptables = "iptables-save"
        case ip6tables = "ip6tables-save"
        case ebtables = "ebtables-save"
        case ipset = "ipset-save"
        case link = "ip-link"
        case address = "ip-addr"
        case route = "ip-route"
        case bridgeLink = "bridge-link"
        case bridgeFDB = "bridge-fdb"
        case bridgeVLAN = "bridge-vlan"
        case sysctl
        case ipvsadm
        /// Says whether there are rules that iptables-save does not show; scenarios cannot have them.
        case nft = "nft-list-ruleset"

        /// The command that prints it.
        var command: String {
            switch self {
            case .iptables, .ip6tables, .ebtables: rawValue
            case .ipset: "ipset save"
            case .link: "ip -j -d link"
            case .address: "ip -j addr"
            case .route: "ip -j route"
            case .bridgeLink: "bridge -j link"
            case .bridgeFDB: "bridge -j fdb"
            case .bridgeVLAN: "bridge -j vlan"
            case .sysctl: "sysctl -a"
            case .ipvsadm: "ipvsadm -Sn"
            case .nft: "nft list ruleset"
            }
        }

        /// Recognises `ip-link.json`, `IP_link.txt` or `ip-link`.
        init?(fileName: String) {
            let stem = fileName.split(separator: ".", omittingEmptySubsequences: false).first ?? ""
            let name = stem.lowercased().replacing("_", with: "-")
            let isRuleset = name == "nft" || name == "nftables" || name == "nft-ruleset"
            self.init(rawValue: isRuleset ? File.nft.rawValue : name)
        }
    }

    /// Of one file, in bytes: a scenario takes no rules of more.
    static let fileLimit = 16_000_000
    /// Of all files together.
    static let limit = 128_000_000

    var folder: String
    /// By name.
    var machines: [Machine] = []
    /// What import does not read, a sentence each.
    private(set) var unread: [String] = []
    private var bytes = 0

    init(folder: String) throws(ImportError) {
        self.folder = folder
        if let problem = RegularFile.problem(withFolder: folder) { throw ImportError("'\(folder)' \(problem)") }
        for name in try names(in: folder, as: folder) {
            let path = "\(folder)/\(name)"
            guard RegularFile.problem(withFolder: path) == nil else {
                // Scenarios that were made of the bundle lie in it.
                if !name.hasSuffix(".yaml") { unread.append("\(name), which is no machine's folder") }
                continue
            }
            if let machine = try machine(name) { machines.append(machine) }
        }
        guard !machines.isEmpty else {
            throw ImportError(
                "'\(folder)' is no support bundle, expected a folder for each machine with files such as "
                    + "iptables-save.txt and ip-link.json")
        }
        for (index, machine) in machines.enumerated()
        where machines[..<index].contains(where: { $0.name == machine.name }) {
            throw ImportError("two machines would be called '\(machine.name)'; rename a folder")
        }
        for machine in machines { try machine.checkFilters() }
    }

    /// Without hidden ones, sorted.
    private func names(in folder: String, as shown: String) throws(ImportError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw ImportError("'\(shown)' cannot be read as a folder")
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// nil for a folder without any file of a machine.
    private mutating func machine(_ name: String) throws(ImportError) -> Machine? {
        var files: [File: Machine.Dump] = [:]
        var others: [Machine.Dump] = []
        for file in try names(in: "\(folder)/\(name)", as: name) {
            let path = "\(name)/\(file)"
            guard let kind = File(fileName: file) else {
                unread.append("\(path), which import does not know")
                // Whose filter it shows can still decide whether the bundle can be read.
                if let bytes = try? RegularFile.bytes(of: "\(folder)/\(path)", upTo: 1_000_000, followsLinks: false) {
                    others.append(Machine.Dump(path: path, bytes: bytes))
                } else {
                    others.append(Machine.Dump(path: path, bytes: []))
                }
                continue
            }
            if let other = files[kind] {
                throw ImportError("\(name) has what '\(kind.command)' prints twice: \(other.path) and \(path)")
            }
            let dump: Machine.Dump
            do {
                dump = Machine.Dump(
                    path: path,
                    bytes: try RegularFile.bytes(
                        of: "\(folder)/\(path)", upTo: Self.fileLimit, followsLinks: false))
            } catch {
                throw ImportError("\(path) \(error)")
            }
            bytes += dump.size
            guard bytes <= Self.limit else {
                throw ImportError("the bundle's files have more than \(Self.limit) bytes together, which is the limit")
            }
            if let place = dump.notText {
                unread.append("\(path): bytes that are not UTF-8, first in \(place); they are there as <E9>")
            }
            files[kind] = dump
        }
        guard !files.isEmpty else {
            if others.isEmpty { unread.append("\(name), a folder without files of a machine") }
            return nil
        }
        return try Machine(folderName: name, files, others: others)
    }
}

/// A bundle that no scenario can be made of.
public struct ImportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line.
    public var description: String

    init(_ description: String) { self.description = description }
}
