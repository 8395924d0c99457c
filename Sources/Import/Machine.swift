internal import FoundationEssentials
internal import Net
internal import Text

/// One machine, as far as its files tell.
struct Machine {
    /// As scenarios can name it.
    var name: String
    var folderName: String
    /// Below the bundle's folder.
    var paths: [Bundle.File: String]
    var texts: [Bundle.File: String]
    /// Files that import does not know.
    var others: [Dump]
    var links: [Link] = []
    var addresses: [String: [IPPrefix]] = [:]
    var routes: [RouteEntry] = []
    var learned: [Forwarding] = []
    var bridgePorts: [(name: String, bridge: String)] = []

    /// A machine with a bridge forwards for others.
    var isHypervisor: Bool { !bridgePorts.isEmpty }

    /// A file of the bundle.
    struct Dump {
        /// Below the bundle's folder.
        var path: String
        /// With `<E9>` for a byte that is not UTF-8: rules have comments in any encoding.
        var text: String
        var size: Int
        /// Where the first such byte is; nil if there is none.
        var notText: String?

        init(path: String, bytes: [UInt8]) {
            self.path = path
            size = bytes.count
            guard let text = String(validating: bytes, as: UTF8.self) else {
                text = String(escapingInvalid: bytes)
                // They differ from there on.
                let common = zip(bytes, text.utf8).prefix { $0 == $1 }.count
                notText = "line \(bytes[..<common].count(where: { $0 == 0x0A }) + 1)"
                return
            }
            self.text = text
        }
    }

    init(folderName: String, _ files: [Bundle.File: Dump], others: [Dump]) throws(ImportError) {
        self.folderName = folderName
        name = Self.name(for: folderName)
        paths = files.mapValues(\.path)
        texts = files.mapValues(\.text)
        self.others = others
        links = try decode(.link)
        routes = try decode(.route)
        learned = try decode(.bridgeFDB)
        let configured: [AddressedLink] = try decode(.address)
        for link in configured {
            guard let name = link.ifname?.text else { continue }
            for entry in link.addrInfo ?? [] {
                guard entry.scope != "link", let local = entry.local else { continue }
                let length = entry.prefixlen?.value ?? local.family.bitWidth
                guard let prefix = IPPrefix(local, length: length) else {
                    throw ImportError("\(paths[.address] ?? ""): \(name) has \(local)/\(length), which is no prefix")
                }
                if addresses[name]?.contains(prefix) != true { addresses[name, default: []].append(prefix) }
            }
        }
        let ports: [Link] = try decode(.bridgeLink)
        for port in links + ports {
            guard let name = port.ifname?.text, let bridge = port.master?.text,
                !bridgePorts.contains(where: { $0.name == name })
            else { continue }
            bridgePorts.append((name, bridge))
        }
        try checkLinks()
    }

    /// A folder's name as a machine's: letters, digits and single `-`.
    private static func name(for folderName: String) -> String {
        let words = folderName.lowercased().split { !$0.isASCII || !$0.isLetter && !$0.isNumber }
        let name = words.joined(separator: "-").drop { !$0.isLetter }.prefix(15)
        return name.isEmpty ? "machine" : name.last == "-" ? String(name.dropLast()) : String(name)
    }

    /// A kernel has one interface of a name.
    private func checkLinks() throws(ImportError) {
        var seen: Set<String> = []
        for case let name? in links.map(\.ifname) where !seen.insert(name.text).inserted {
            throw ImportError("\(paths[.link] ?? ""): two interfaces are called '\(name.text)'")
        }
    }

    /// Whether a file of rules has more than remarks.
    func hasContent(_ file: Bundle.File) -> Bool {
        texts[file, default: ""].split(separator: "\n").contains { $0.first != "#" }
    }

    /// Of a file that is missing or empty: nothing.
    private func decode<Entry: Decodable>(_ file: Bundle.File) throws(ImportError) -> [Entry] {
        guard let text = texts[file], !text.allSatisfy(\.isWhitespace) else { return [] }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode([Entry].self, from: Data(text.utf8), of: paths[file] ?? file.rawValue)
        } catch {
            throw ImportError("\(error), in what '\(file.command)' prints")
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

        var ifname: InterfaceName?
        var master: InterfaceName?
        var flags: [String]?
        var mtu: Int?
        var linkType: String?
        var address: String?
        var linkinfo: Kind?

        var mac: MACAddress? { address.flatMap { MACAddress($0) } }
    }
    struct AddressedLink: Decodable {
        struct Entry: Decodable {
            var local: IPAddress?
            var prefixlen: PrefixLength?
            var scope: String?
        }

        var ifname: InterfaceName?
        var addrInfo: [Entry]?
    }
    struct RouteEntry: Decodable {
        var type: String?
        var dst: String?
        var gateway: IPAddress?
        var dev: InterfaceName?
        var `protocol`: String?
    }
    struct Forwarding: Decodable {
        var mac: String?
        var ifname: InterfaceName?
        var master: InterfaceName?
        var state: String?
    }

    // MARK: What scenarios call ports and interfaces

    /// Network cards: Ethernet with a MAC of their own, in use.
    var cards: [Link] {
        links.filter { link in
            guard let name = link.ifname?.text, let mac = link.mac, mac.bits != 0, link.linkType == "ether" else {
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
            guard let name = link.ifname?.text else { return nil }
            let own = (addresses[name] ?? []).filter { !$0.isLoopback }
            guard isDummy(link) || name == "lo" && !own.isEmpty else { return nil }
            return (name, own)
        }
    }

    private func isDummy(_ link: Link) -> Bool {
        if let kind = link.linkinfo?.infoKind { return kind == "dummy" }
        return link.linkType == "ether" && link.flags?.contains("NOARP") == true
            && link.ifname.map { addresses[$0.text]?.isEmpty == false } == true
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
