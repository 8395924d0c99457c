internal import FoundationEssentials
internal import Net

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
            }
        }

        /// Recognises `ip-link.json`, `IP_link.txt` or `ip-link`.
        init?(fileName: String) {
            let stem = fileName.split(separator: ".", omittingEmptySubsequences: false).first ?? ""
            self.init(rawValue: stem.lowercased().replacing("_", with: "-"))
        }
    }

    var folder: String
    /// By name.
    var machines: [Machine] = []

    init(folder: String) throws(ImportError) {
        self.folder = folder
        let manager = FileManager.default
        guard let names = try? manager.contentsOfDirectory(atPath: folder) else {
            throw ImportError("'\(folder)' cannot be read as a folder")
        }
        for name in names.sorted() where !name.hasPrefix(".") {
            guard let files = try? manager.contentsOfDirectory(atPath: "\(folder)/\(name)") else { continue }
            var texts: [File: (path: String, text: String)] = [:]
            for file in files.sorted() {
                guard let kind = File(fileName: file) else { continue }
                guard let data = manager.contents(atPath: "\(folder)/\(name)/\(file)"),
                    let text = String(validating: data, as: UTF8.self)
                else { throw ImportError("\(folder)/\(name)/\(file) cannot be read as text") }
                if let other = texts[kind] {
                    throw ImportError("\(folder)/\(name) has \(kind.command) twice: \(other.path) and \(name)/\(file)")
                }
                texts[kind] = ("\(name)/\(file)", text)
            }
            if !texts.isEmpty { machines.append(try Machine(folderName: name, texts)) }
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
    }
}

/// A bundle that no scenario can be made of.
public struct ImportError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

/// One machine, as far as its files tell.
struct Machine {
    /// As scenarios can name it.
    var name: String
    var folderName: String
    /// Below the bundle's folder.
    var paths: [Bundle.File: String]
    var texts: [Bundle.File: String]
    var links: [Link] = []
    var addresses: [String: [IPPrefix]] = [:]
    var routes: [RouteEntry] = []
    var learned: [Forwarding] = []
    var bridgePorts: [(name: String, bridge: String)] = []

    /// A machine with a bridge forwards for others.
    var isHypervisor: Bool { !bridgePorts.isEmpty }

    init(folderName: String, _ files: [Bundle.File: (path: String, text: String)]) throws(ImportError) {
        self.folderName = folderName
        let letters = folderName.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let name = String(letters.drop { !$0.isLetter }.prefix(15))
        self.name = name.isEmpty ? "machine" : name
        paths = files.mapValues(\.path)
        texts = files.mapValues(\.text)
        links = try decode(.link)
        routes = try decode(.route)
        learned = try decode(.bridgeFDB)
        let configured: [AddressedLink] = try decode(.address)
        for link in configured {
            guard let name = link.ifname else { continue }
            addresses[name] = (link.addrInfo ?? []).compactMap { entry in
                guard entry.scope != "link", let local = entry.local.flatMap({ IPAddress($0) }) else { return nil }
                return IPPrefix(local, length: entry.prefixlen ?? (local.family == .v4 ? 32 : 128))
            }
        }
        let ports: [Link] = try decode(.bridgeLink)
        for port in links + ports {
            guard let name = port.ifname, let bridge = port.master, !bridgePorts.contains(where: { $0.name == name })
            else { continue }
            bridgePorts.append((name, bridge))
        }
    }

    /// Of a file that is missing or empty: nothing.
    private func decode<Entry: Decodable>(_ file: Bundle.File) throws(ImportError) -> [Entry] {
        guard let text = texts[file], !text.allSatisfy(\.isWhitespace) else { return [] }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode([Entry].self, from: Data(text.utf8))
        } catch {
            throw ImportError("\(paths[file] ?? file.rawValue) is not what '\(file.command)' prints: \(error)")
        }
    }

    // What iproute2 prints. Older versions leave empty objects between the entries: nothing is required.

    struct Link: Decodable {
        struct Kind: Decodable {
            struct Options: Decodable {
                var nfCallIptables: Int?
                // The decoder capitalizes what follows a digit.
                var nfCallIp6Tables: Int?
                var nfCallArptables: Int?
            }

            var infoKind: String?
            /// Of a bridge.
            var infoData: Options?
        }

        var ifname: String?
        var master: String?
        var flags: [String]?
        var mtu: Int?
        var linkType: String?
        var address: String?
        var linkinfo: Kind?

        var mac: MACAddress? { address.flatMap { MACAddress($0) } }
    }
    struct AddressedLink: Decodable {
        struct Entry: Decodable {
            var local: String?
            var prefixlen: Int?
            var scope: String?
        }

        var ifname: String?
        var addrInfo: [Entry]?
    }
    struct RouteEntry: Decodable {
        var type: String?
        var dst: String?
        var gateway: String?
        var dev: String?
        var `protocol`: String?
    }
    struct Forwarding: Decodable {
        var mac: String?
        var ifname: String?
        var master: String?
        var state: String?
    }

    // MARK: What scenarios call ports and interfaces

    /// Network cards: Ethernet with a MAC of their own, in use.
    var cards: [Link] {
        links.filter { link in
            guard let name = link.ifname, let mac = link.mac, mac.bits != 0, link.linkType == "ether" else {
                return false
            }
            let kind = link.linkinfo?.infoKind
            let isUsed = link.flags?.contains("UP") == true || addresses[name]?.isEmpty == false
            return isUsed && !isDummy(link) && [nil, "veth", "virtio"].contains(kind)
        }
    }

    /// Dummies, and the loopback if it has addresses of its own.
    var interfaces: [(name: String, addresses: [IPPrefix])] {
        links.compactMap { link in
            guard let name = link.ifname else { return nil }
            let own = (addresses[name] ?? []).filter { !$0.isLoopback }
            guard isDummy(link) || name == "lo" && !own.isEmpty else { return nil }
            return (name, own)
        }
    }

    private func isDummy(_ link: Link) -> Bool {
        if let kind = link.linkinfo?.infoKind { return kind == "dummy" }
        return link.linkType == "ether" && link.flags?.contains("NOARP") == true
            && link.ifname.map { addresses[$0]?.isEmpty == false } == true
    }

    /// The settings that the kernel prints, `net.ipv4.ip_forward = 1`.
    var sysctls: [(key: String, value: String)] {
        (texts[.sysctl] ?? "").split(separator: "\n").compactMap { line in
            guard let equals = line.firstIndex(of: "=") else { return nil }
            func trimmed(_ text: Substring) -> String {
                let start = text.drop { $0 == " " }
                return start.lastIndex { $0 != " " }.map { String(start[...$0]) } ?? ""
            }
            return (trimmed(line[..<equals]), trimmed(line[line.index(after: equals)...]))
        }
    }
}

extension IPPrefix {
    fileprivate var isLoopback: Bool {
        [IPPrefix("127.0.0.0/8"), IPPrefix("::1/128")].contains { $0?.contains(address) == true }
    }
}
