import Glibc
import Testing

@testable import Kernel

@Suite("Kernel parameters")
struct SystemControlTests {
    @Test(
        "a slash stands for a dot in a name, and a path is taken as it is",
        arguments: [
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net.ipv4.conf.eth-vip.arp_ignore", "/proc/sys/net/ipv4/conf/eth-vip/arp_ignore"),
            ("net.ipv4.conf.eth0/100.arp_ignore", "/proc/sys/net/ipv4/conf/eth0.100/arp_ignore"),
            ("net/ipv4/conf/eth0.100/arp_ignore", "/proc/sys/net/ipv4/conf/eth0.100/arp_ignore"),
        ])
    func paths(key: String, path: String) throws {
        #expect(try SystemControl.path(of: key, during: "write") == path)
    }

    @Test(
        "a key that leads out of /proc/sys is refused",
        arguments: ["", "net", "net..x", "net.//.x", "/etc/passwd", "net/../x", "net.x\0y"])
    func badKeys(key: String) {
        let error = #expect(throws: KernelError.self) { try SystemControl.path(of: key, during: "write sysctl") }
        #expect(error == KernelError("write sysctl", code: EINVAL, explanation: "'\(key)' is no sysctl key"))
    }

    @Test(
        "a parameter of net belongs to the namespace",
        .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
    func perNamespace() throws {
        let (a, b) = (try NetworkNamespace.create(named: "a"), try NetworkNamespace.create(named: "b"))
        try SystemControl.write("net.ipv4.ip_forward", "1", in: a)
        try SystemControl.write("net.ipv4.ip_forward", "0", in: b)
        #expect(try SystemControl.read("net.ipv4.ip_forward", in: a) == "1")
        #expect(try SystemControl.read("net.ipv4.ip_forward", in: b) == "0")
        #expect(try a.output("cat", "/proc/sys/net/ipv4/ip_forward") == "1\n")
    }

    @Test(
        "several parameters are written in order until one fails",
        .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
    func several() throws {
        let namespace = try NetworkNamespace.create(named: "rs1")
        let error = #expect(throws: KernelError.self) {
            try SystemControl.write(
                [
                    ("net.ipv4.conf.lo.arp_ignore", "1"), ("net.ipv4.conf.eth9.arp_ignore", "1"),
                    ("net.ipv4.conf.lo.arp_announce", "2"),
                ], in: namespace)
        }
        #expect(
            error?.description == "rs1: write sysctl net.ipv4.conf.eth9.arp_ignore = 1: "
                + "ENOENT (No such file or directory): no sysctl net.ipv4.conf.eth9.arp_ignore here")
        #expect(try SystemControl.read("net.ipv4.conf.lo.arp_ignore", in: namespace) == "1")
        #expect(try SystemControl.read("net.ipv4.conf.lo.arp_announce", in: namespace) == "0")
    }

    @Test(
        "a value that the kernel refuses is an error with key and value",
        .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
    func badValue() throws {
        let namespace = try NetworkNamespace.create(named: "lb")
        let error = #expect(throws: KernelError.self) {
            try SystemControl.write("net.ipv4.ip_forward", "maybe", in: namespace)
        }
        #expect(error?.description == "lb: write sysctl net.ipv4.ip_forward = maybe: EINVAL (Invalid argument)")
        #expect(throws: KernelError.self) { try SystemControl.read("net.ipv4.nothing", in: namespace) }
    }
}
