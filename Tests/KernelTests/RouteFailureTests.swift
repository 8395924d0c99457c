import Net
import Testing

@testable import Kernel

@Suite("What the kernel refuses", .serialized, .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
struct RouteFailureTests {
    let netlink: RouteNetlink

    init() throws {
        netlink = try RouteNetlink(in: NetworkNamespace.create(named: "hv1"))
    }

    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private func failure(_ requests: RouteRequest...) -> String? {
        #expect(throws: KernelError.self) { try netlink.perform(requests) }?.description
    }

    @Test("a link that exists is not added again")
    func exists() {
        #expect(failure(.addBridge(name: "br"), .addBridge(name: "br")) == "hv1: add bridge br: EEXIST (File exists)")
    }

    @Test("a link that does not exist is named, by each kind of request")
    func noSuchLink() throws {
        let reason = "ENODEV (No such device)"
        #expect(failure(.setUp("eth9")) == "hv1: set eth9 up: \(reason)")
        #expect(failure(.deleteLink("eth9")) == "hv1: delete link eth9: \(reason)")
        #expect(
            try failure(.addAddress(prefix("10.0.0.1/24"), link: "eth9"))
                == "hv1: add address 10.0.0.1/24 to eth9: \(reason)")
        #expect(
            try failure(.addRoute(.init(to: prefix("0.0.0.0/0"), link: "eth9")))
                == "hv1: add route default dev eth9: \(reason)")
        #expect(failure(.setMaster("lo", bridge: "br9")) == "hv1: plug lo into bridge br9: \(reason)")
        #expect(failure(.setNetem(link: "eth9", Netem(delay: 1)))?.hasSuffix(reason) == true)
    }

    @Test("the kernel's own words are in the error")
    func explanation() throws {
        #expect(
            try failure(.addRoute(.init(to: prefix("0.0.0.0/0"), via: address("10.0.0.1"))))
                == "hv1: add route default via 10.0.0.1: ENETUNREACH (Network is unreachable): "
                + "Nexthop has invalid gateway")
        #expect(failure(.addBridge(name: "br"), .setMaster("lo", bridge: "br"))?.contains("EINVAL") == true)
    }

    @Test("what is not there cannot be deleted")
    func notThere() throws {
        try netlink.perform(.setUp("lo"))
        #expect(
            try failure(.deleteAddress(prefix("10.0.0.1/24"), link: "lo"))?
                .hasPrefix("hv1: delete address 10.0.0.1/24 from lo: EADDRNOTAVAIL") == true)
        #expect(
            try failure(.deleteRoute(.init(to: prefix("10.0.0.0/8"))))
                == "hv1: delete route 10.0.0.0/8: ESRCH (No such process)")
        #expect(
            try failure(.deleteNeighbour(address("10.0.0.1"), link: "lo"))?
                .hasPrefix("hv1: delete neighbour 10.0.0.1 on lo: ENOENT") == true)
        #expect(
            failure(.deleteRule(.init(table: 77)))?.hasPrefix("hv1: delete rule from all lookup 77: ENOENT") == true)
        #expect(failure(.deleteQdisc(link: "lo"))?.hasPrefix("hv1: delete the root qdisc of lo: ENOENT") == true)
    }

    @Test("the first request that fails is the one reported, and the socket is usable afterwards")
    func firstFailure() throws {
        #expect(
            failure(.addBridge(name: "a"), .setUp("nobody"), .setUp("noone"), .addBridge(name: "b"))
                == "hv1: set nobody up: ENODEV (No such device)")
        #expect(try netlink.links().contains { $0.name == "a" })
        #expect(failure(.addBridge(name: "a"))?.contains("EEXIST") == true)
    }

    @Test("requests before one that cannot be sent are carried out")
    func unresolved() throws {
        #expect(
            try failure(.addBridge(name: "a"), .addAddress(prefix("10.0.0.1/24"), link: "eth9"), .addBridge(name: "b"))
                == "hv1: add address 10.0.0.1/24 to eth9: ENODEV (No such device)")
        #expect(try netlink.links().contains { $0.name == "a" })
        #expect(try !netlink.links().contains { $0.name == "b" })
    }

    @Test("an interface name of more than 15 octets is refused by the kernel")
    func longName() {
        #expect(failure(.addBridge(name: "brq0123456789abcdef"))?.contains("ERANGE") == true)
    }

    @Test("a namespace descriptor that is none is refused")
    func badNamespace() {
        let nowhere = NamespaceDescriptor(name: "nowhere", fileDescriptor: 9999)
        #expect(
            failure(.addVeth(.init(name: "a", peer: .init(name: "b", namespace: nowhere))))
                == "hv1: add veth a with peer b in nowhere: EBADF (Bad file descriptor)")
    }
}
