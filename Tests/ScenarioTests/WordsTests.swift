import Net
import Testing

@testable import Reading
@testable import Scenario

@Suite("Amounts, commands and names")
struct WordsTests {
    @Test(
        "durations",
        arguments: [
            ("2s", 2_000_000_000), ("500ms", 500_000_000), ("15min", 900_000_000_000), ("1h", 3_600_000_000_000),
            ("1.5s", 1_500_000_000), ("0s", 0), ("2 s", 2_000_000_000), ("7us", 7000), ("0.25us", 250), ("3ns", 3),
            ("2", nil), ("s", nil), ("", nil), ("-1s", nil), ("1.s", nil), (".5s", nil), ("1.5ns", nil), ("1..5s", nil),
            ("2 min ", nil), ("1e3s", nil), ("9223372036s", 9_223_372_036_000_000_000), ("9223372037s", nil),
            ("9223372036.854775807s", .max), ("9223372036.854775808s", nil), ("99999999999999999999s", nil),
            ("1.00000000000000s", nil),
        ] as [(String, Int64?)])
    func durations(_ text: String, _ nanoseconds: Int64?) { #expect(Quantity.duration(text) == nanoseconds) }

    @Test(
        "sizes: MB counts in thousands, MiB in 1024",
        arguments: [
            ("0", 0), ("1500", 1500), ("1MB", 1_000_000), ("64KiB", 65536), ("1 GiB", 1 << 30), ("1kB", 1000),
            ("5B", 5),
            ("1Mb", nil), ("1.5MB", nil), ("-1", nil), ("", nil), ("99999999999999999999", nil),
            ("9999999999999GiB", nil),
        ] as [(String, Int?)])
    func sizes(_ text: String, _ octets: Int?) { #expect(Quantity.size(text) == octets) }

    @Test(
        "counts",
        arguments: [
            ("3", 3, 3), ("0", 0, 0), (">= 1", 1, .max), (">=1", 1, .max), ("> 5", 6, .max), ("<= 2", 0, 2),
            ("< 3", 0, 2), ("2..4", 2, 4), ("2 .. 4", 2, 4), ("2..2", 2, 2),
        ] as [(String, Int, Int)])
    func counts(_ text: String, _ minimum: Int, _ maximum: Int) {
        #expect(Quantity.count(text) == Expectation.Count(minimum: minimum, maximum: maximum))
    }

    @Test(
        "what is no count",
        arguments: [
            "", " ", "-1", "three", "4..2", "..4", "2..", "2...4", "> ", "< 0", "=3", "+3", "1_000",
            "> 9223372036854775807",
            "99999999999999999999", ">= -1", "٣",
        ])
    func noCounts(_ text: String) { #expect(Quantity.count(text) == nil) }

    @Test(
        "a command is split as a shell splits words",
        arguments: [
            ("ip neigh flush all", ["ip", "neigh", "flush", "all"]), ("  a   b ", ["a", "b"]),
            ("'a b' \"c d\"", ["a b", "c d"]),
            ("a'b'\"c\"", ["abc"]), ("''", [""]), ("a\\ b", ["a b"]), ("\"a\\\"b\\n\"", ["a\"b\\n"]),
            ("'a|b$c'", ["a|b$c"]),
            ("\\|", ["|"]), ("a\\", ["a\\"]), ("tcp[0] a*b ~ #", ["tcp[0]", "a*b", "~", "#"]), ("", []),
        ] as [(String, [String])])
    func commands(_ command: String, _ words: [String]) throws { #expect(try ShellWords.split(command) == words) }

    @Test(
        "what only a shell could do is refused",
        arguments: [
            ("a | b", .special("|")), ("a > b", .special(">")), ("a; b", .special(";")), ("a && b", .special("&")),
            ("echo $x", .special("$")), ("\"`a`\"", .special("`")), ("'a", .unclosedQuote("'")),
            ("\"a", .unclosedQuote("\"")),
        ] as [(String, ShellWords.Failure)])
    func notCommands(_ command: String, _ failure: ShellWords.Failure) {
        #expect(throws: failure) { try ShellWords.split(command) }
    }

    @Test(
        "slips of the finger have a small distance",
        arguments: [
            ("", "", 0), ("", "abc", 3), ("lb", "lb", 0), ("rs1", "rs2", 1), ("trafic", "traffic", 1), ("ab", "ba", 1),
            ("LB", "lb", 0), ("kitten", "sitting", 3), ("ca", "abc", 3),
        ] as [(String, String, Int)])
    func distances(_ a: String, _ b: String, _ distance: Int) {
        #expect(NearestName.distance(a, b) == distance)
        #expect(NearestName.distance(b, a) == distance)
    }

    @Test("the nearest name is the first of the nearest, and none if none is near")
    func nearest() {
        #expect(NearestName.of("rs3", among: ["lb", "rs1", "rs2"]) == "rs1")
        #expect(NearestName.of("topolgy", among: ["title", "topology"]) == "topology")
        #expect(NearestName.of("colour", among: ["title", "topology"]) == nil)
        #expect(NearestName.of("fab", among: ["hv1", "hv2"]) == nil)
        #expect(NearestName.of(String(repeating: "a", count: 100_000), among: ["a"]) == nil)
    }

    @Test(
        "names match in Swift exactly when they match their pattern",
        arguments: [
            "lb", "LB", "eth0", "eth-vip", "eth0.5", "0a", "-a", "a_b", "", "a b", "a:b", "ä", "abcdefghijklmno",
            "abcdefghijklmnop",
            "net.ipv4.ip_forward", "net/ipv4/conf/eth0.5/arp_ignore", "net.", ".net", "net", "2014.1", "a\n", "a..b",
            "Net.ipv4",
        ])
    func names(_ name: String) throws {
        for form in [NameForm.namespace, .interface, .word, .scenario, .sysctl] {
            let matches = try Regex(form.pattern).wholeMatch(in: name) != nil
            #expect(form.matches(name) == matches, "\(form.pattern)")
        }
    }

    @Test("ids made of names are UUIDs whose first ten characters differ")
    func identities() {
        #expect(DefaultIdentity.id("lb", "eth0").hasPrefix("6c620000-00"))
        #expect(DefaultIdentity.id("rs1", "eth1").hasPrefix("72733100-10"))
        let hosts = ["a", "lb", "lb1", "lb2", "rs10", "gw", "client", "client2", "attacker", "attacker-2"]
        let cards = (0..<17).map { "eth\($0)" } + ["eth00", "ens3", "bond0"]
        let ids = hosts.flatMap { host in cards.map { DefaultIdentity.id(host, $0) } }
        #expect(Set(ids.map { $0.prefix(10) }).count == ids.count)
        #expect(
            ids.allSatisfy {
                $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/) != nil
            })
        #expect(DefaultIdentity.mac("lb", "eth0").description.hasPrefix("fa:16:3e:"))
        #expect(DefaultIdentity.mac("lb", "eth0") != DefaultIdentity.mac("lb", "eth1"))
    }

    @Test(
        "globs",
        arguments: [
            ("release-a", "release-*", true), ("release-a/x", "release-*", true), ("a/newton", "*/newton", true),
            ("abc", "a?c", true), ("abc", "a?", false), ("abc", "*b*c", true), ("abc", "", false), ("", "*", true),
            ("aab", "*ab", true), ("abc", "abc*", true), ("a*c", "a*c", true), ("abd", "a*c", false),
        ])
    func globs(_ text: String, _ pattern: String, _ matches: Bool) { #expect(Glob.matches(text, pattern) == matches) }
}
