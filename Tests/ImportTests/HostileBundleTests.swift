import Foundation
import Import
import Net
import Plan
import Reading
import Scenario
import Testing

@Suite("Bundles that somebody made up")
struct HostileBundleTests {
    private func newton() throws -> BundleCopy { try BundleCopy(of: RecordedBundle.newton.folder, named: "newton") }

    @Test("an interface's name cannot write a step into the scenario")
    func attack() throws {
        let bundle = try newton()
        let attack = RecordedBundle.newton.folder + "/../attacks/hv2-ip-link.json"
        try bundle.write("hv2/ip-link.json", Data(contentsOf: URL(filePath: attack)))
        let refusal = try #require(bundle.refusal())
        #expect(refusal.hasPrefix("hv2/ip-link.json:1:"))
        #expect(refusal.contains("is no interface's name") && !refusal.contains("\n"))
    }

    @Test(
        "names are taken as Linux takes them, and the refusal has the file, the path and the place",
        arguments: [
            "", ".", "..", "a/b", "a:b", "a b", "a\\tb", "a\\nb", "0123456789abcdef", "a\\u001b[2J", "a\\u202eb",
            "\\u00a0", "é23456789012345", "a\\u0000",
        ])
    func names(name: String) throws {
        for (file, key) in [("hv2/ip-link.json", "ifname"), ("hv2/ip-link.json", "master")] {
            let bundle = try newton()
            try bundle.write(file, "[{\"ifname\": \"eth0\"},\n {\"\(key)\": \"\(name)\"}]")
            let refusal = try #require(bundle.refusal())
            #expect(refusal.hasPrefix("hv2/ip-link.json:2:") && refusal.contains("[1].\(key): "))
            #expect(refusal.unicodeScalars.allSatisfy { $0 == "\t" || $0.properties.generalCategory != .control })
        }
    }

    @Test("a name that Linux takes and YAML would read as something else stays that name")
    func oddNames() throws {
        let bundle = try newton()
        for file in ["client/ip-link.json", "client/ip-addr.json", "client/ip-route.json"] {
            try bundle.edit(file, "\"eth0\"", "\"a#'\\\"{}[]&*!|>\"")
        }
        let result = try bundle.imported()
        #expect(result.text.contains("      \"a#'\\\"{}[]&*!|>\":\n"))
        // The scenario's format takes fewer names than Linux; that is told, with the file that has it.
        let (_, diagnostics) = try bundle.validated(result)
        let lines = Set(diagnostics.map(\.location.line))
        #expect(!lines.isEmpty && lines.allSatisfy { result.origins[$0]?.hasPrefix("client/") != false })
        #expect(lines.contains { result.origins[$0] == "client/ip-link.json" })
    }

    @Test("addresses are addresses: what is none is refused where it stands")
    func addresses() throws {
        for (file, text, place) in [
            (
                "lb/ip-addr.json", "[{\"ifname\": \"eth0\", \"addr_info\": [{\"local\": \"203.0.113.3\\nx: y\"}]}]",
                ".local"
            ),
            ("lb/ip-addr.json", "[{\"ifname\": \"eth0\", \"addr_info\": [{\"prefixlen\": 129}]}]", ".prefixlen"),
            ("lb/ip-route.json", "[{\"dst\": \"default\", \"gateway\": \"203.0.113.1\\nx: y\"}]", ".gateway"),
            ("lb/ip-route.json", "[{\"dst\": \"default\", \"dev\": \"a b\"}]", ".dev"),
            ("hv1/bridge-fdb.json", "[{\"mac\": \"x\", \"ifname\": \"a\\nb\"}]", ".ifname"),
        ] {
            let bundle = try newton()
            try bundle.write(file, text)
            let refusal = try #require(bundle.refusal(), "\(text)")
            #expect(refusal.hasPrefix("\(file):1:") && refusal.contains(place), "\(refusal)")
        }
    }

    @Test(
        "whatever a folder is called, the scenario has one title and no key of its making",
        arguments: ["a\nb: c", "x\"\ntimeline: []\n#", "\u{1B}[2J", "\u{202E}abc", "a: {b}", "#", "'", "\u{2028}x"])
    func folderNames(name: String) throws {
        let bundle = try BundleCopy(of: RecordedBundle.newton.folder, named: name)
        try FileManager.default.moveItem(
            at: bundle.folder.appending(path: "rs2"), to: bundle.folder.appending(path: "é \(name) rs2"))
        let result = try bundle.imported()
        let (scenario, diagnostics) = try bundle.validated(result)
        #expect(diagnostics.map(\.description) == [])
        #expect(scenario?.timeline.count == 0 && scenario?.hosts.count == 5)
        let odd = result.text.unicodeScalars.filter { $0 != "\n" && !Self.isShown($0) }
        #expect(odd.isEmpty, "\(odd)")
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    @Test("a rule's comment in another encoding does not refuse the dump, and is told")
    func latin1() throws {
        let bundle = try newton()
        let dump =
            Array("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"caf".utf8) + [0xE9]
            + Array("\" -j ACCEPT\nCOMMIT\n".utf8)
        try bundle.write("rs1/iptables-save.txt", Data(dump))
        let result = try bundle.imported()
        #expect(result.text.contains(#"- "-t filter -A INPUT -m comment --comment \"caf<E9>\" -j ACCEPT""#))
        #expect(
            result.missing.contains(
                "rs1/iptables-save.txt: bytes that are not UTF-8, first in line 3; they are there as <E9>"))
        var rules = try bundle.read("hv1/iptables-save.txt")
        let mark = try #require(rules.firstRange(of: Data("Allow DHCP client".utf8)))
        rules.replaceSubrange(mark, with: [0xE9, 0xFF])
        try bundle.write("hv1/iptables-save.txt", rules)
        let (scenario, diagnostics) = try bundle.validated(try bundle.imported())
        #expect(diagnostics.map(\.description) == [])
        #expect(scenario?.hypervisors[0].rules?.iptables?.contains("<E9><FF> traffic") == true)
    }

    @Test("what is no regular file is called what it is, and nothing waits for it")
    func kinds() throws {
        do {
            let bundle = try newton()
            try FileManager.default.removeItem(at: bundle.folder.appending(path: "lb/sysctl.txt"))
            #expect(mkfifo(bundle.folder.appending(path: "lb/sysctl.txt").path, 0o600) == 0)
            #expect(bundle.refusal() == "lb/sysctl.txt is a FIFO, not a regular file")
        }
        do {
            let bundle = try newton()
            let file = bundle.folder.appending(path: "lb/sysctl.txt")
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "/dev/zero")
            #expect(bundle.refusal() == "lb/sysctl.txt is a symbolic link, not a regular file")
        }
        do {
            let bundle = try newton()
            let file = bundle.folder.appending(path: "lb/sysctl.txt")
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
            #expect(bundle.refusal() == "lb/sysctl.txt is a folder, not a regular file")
        }
        do {
            let bundle = try newton()
            // Nothing is read of it: the file has a size and no blocks.
            #expect(truncate(bundle.folder.appending(path: "lb/sysctl.txt").path, 1 << 40) == 0)
            #expect(bundle.refusal() == "lb/sysctl.txt has 1099511627776 bytes, expected at most 16000000")
        }
        for (path, reason) in [
            ("/nowhere", "'/nowhere' is not there"), ("/dev/null", "'/dev/null' is a device, not a folder"),
        ] {
            let error = #expect(throws: ImportError.self) { try ImportedScenario(bundle: path, rules: "") }
            #expect(error?.description == reason)
        }
    }

    @Test("a dump that ends early, or has rules outside a table, is told with its file and line")
    func brokenDumps() throws {
        for (text, reason) in [
            ("*filter\n:INPUT DROP [0:0]\n", ":3: the file ends within table 'filter'"),
            ("-A INPUT -j DROP\n", ":1: '-A INPUT -j DROP' cannot stand here, expected a table such as *filter first"),
            ("*filter\n:INPUT\nCOMMIT\n", ":2: ':INPUT' cannot stand here, expected a line such as :FORWARD"),
            ("*filter\nhello\nCOMMIT\n", ":2: 'hello' cannot stand here, expected a rule"),
            ("*filter\n--modprobe=/tmp/x -A INPUT\nCOMMIT\n", ":2: '--modprobe=/tmp/x"),
            ("*x -t\nCOMMIT\n", ":1: '*x -t' cannot stand here, expected a table"),
        ] {
            let bundle = try newton()
            try bundle.write("rs1/iptables-save.txt", text)
            #expect(bundle.refusal()?.hasPrefix("rs1/iptables-save.txt\(reason)") == true, "\(bundle.refusal() ?? "")")
        }
    }

    @Test("what scenarios cannot say of a director is named, and the rest is there")
    func services() throws {
        let bundle = try newton()
        try bundle.write(
            "lb/ipvsadm.txt",
            """
            -A -t 203.0.113.2:80 -s rr
            -A -t 203.0.113.2:80 -s wrr
            -A -t 203.0.113.2:81 -s rr
            -A -t 203.0.113.2:82 -s rr\\nx
            -A -t 203.0.113.2:83 -s rr -p x
            -a -t 203.0.113.2:80 -r 203.0.113.4:80 -w 1
            -a -t 203.0.113.2:80 -r 203.0.113.5:80 -w 1x
            -a -t 203.0.113.2:99 -r 203.0.113.5:80
            """)
        let result = try bundle.imported()
        let (scenario, diagnostics) = try bundle.validated(result)
        #expect(diagnostics.map(\.description) == [])
        #expect(scenario?.services.map { $0.realServers.count } == [1])
        #expect(result.missing.contains("lb: its service 203.0.113.2:81, which has no real servers"))
        #expect(result.missing.filter { $0.hasPrefix("lb: '-") }.count == 5)
    }

    @Test("a file that import does not know is named")
    func unknownFiles() throws {
        let bundle = try newton()
        try bundle.write("lb/conntrack.txt", "x")
        try bundle.write("readme.md", "x")
        try bundle.write("empty/.hidden", "x")
        let result = try bundle.imported()
        for line in [
            "lb/conntrack.txt, which import does not know", "readme.md, which is no machine's folder",
            "empty, a folder without files of a machine",
        ] {
            #expect(result.missing.contains(line), "\(line)")
        }
    }

    @Test("a file that an import wrote is known by its mark, until somebody changes it")
    func mark() throws {
        let text = ImportMark.marked(try newton().imported().text)
        #expect(ImportMark.isUnchanged(Array(text.utf8)))
        let second = try #require(text.split(separator: "\n").dropFirst().first)
        #expect(second == "#" && text.hasPrefix("# Imported by drbench from newton. sha256:"))
        for changed in [
            text + "\n", text.replacing("fab", with: "fabric"), "", "title: x\n",
            text.replacing("newton", with: "juno"),
        ] {
            #expect(!ImportMark.isUnchanged(Array(changed.utf8)))
        }
    }
}
