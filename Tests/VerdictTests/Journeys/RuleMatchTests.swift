import Evidence
import Testing

@testable import Verdict

@Suite("Rules, taken apart")
struct RuleMatchTests {
    private func parsed(_ text: String, family: String = "arp") -> ParsedRule {
        ParsedRule(rule(text, 0, chain: "INPUT", family: family))
    }

    @Test("arptables names the target first, and what it matches behind it")
    func arptables() {
        let rule = parsed("-j DROP -d 203.0.113.2 -s 203.0.113.1")
        #expect(rule.target == .drop)
        #expect(rule.matches.count == 2)
    }

    @Test("arptables' mangle takes the packet as it changes it, unless it says otherwise; its options match nothing")
    func mangle() {
        let rule = parsed("-j mangle -s 203.0.113.2 --mangle-ip-s 203.0.113.4")
        #expect(rule.target == .accept)
        #expect(rule.matches.count == 1)
        let target = parsed("-j mangle -s 203.0.113.2 --mangle-ip-s 203.0.113.4 --mangle-target CONTINUE").target
        #expect(target == ParsedRule.Target.none)
    }

    @Test("behind the target of iptables are the target's own options")
    func iptables() {
        let rule = parsed("-p tcp -j REJECT --reject-with tcp-reset", family: "ipv4")
        #expect(rule.target == .reject)
        #expect(rule.matches.count == 1)
    }
}
