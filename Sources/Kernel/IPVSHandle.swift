internal import CNetlink
public import Evidence
internal import Glibc
internal import Net
internal import Synchronization

/// IPVS in one network namespace.
///
/// A handle is one generic netlink socket and one open /proc/net/ip_vs_conn, opened in the calling thread's network
/// namespace and used from any thread afterwards; calls wait for each other. Needs CAP_NET_ADMIN over the namespace.
///
/// Errors of the kernel (ip_vs_genl_set_cmd): EEXIST for a service or real server that is there already, ESRCH for a
/// service that is not, ENOENT for a real server that is not or a scheduler that the kernel does not have.
public final class IPVSHandle: Sendable {
    private struct Link: @unchecked Sendable {
        let netlink: GenericNetlink
    }

    private let link: Mutex<Link>
    private let files: NamespaceProcFiles

    /// Opens the calling thread's network namespace. Throws ENOENT (`this kernel has no IPVS`) where there is none.
    public init() throws {
        link = Mutex(Link(netlink: try GenericNetlink(family: "IPVS", version: 1)))
        files = try NamespaceProcFiles(opening: [Self.connectionsFile, Self.totalsFile])
    }

    /// Whether this kernel has IPVS, or a module of it that it may load.
    public static var isAvailable: Bool { (try? GenericNetlink(family: "IPVS", version: 1)) != nil }

    // MARK: Changes

    public func add(_ service: IPVSVirtualService) throws {
        try change(Int(IPVS_CMD_NEW_SERVICE), "add IPVS service \(service.key)", service)
    }

    /// Changes a service's scheduler, flags and persistence.
    public func edit(_ service: IPVSVirtualService) throws {
        try change(Int(IPVS_CMD_SET_SERVICE), "edit IPVS service \(service.key)", service)
    }

    /// Deletes a service with its real servers. Its connections stay until they expire.
    public func delete(_ service: IPVSVirtualService.Key) throws {
        try change(
            Int(IPVS_CMD_DEL_SERVICE), "delete IPVS service \(service)", IPVSVirtualService(service, scheduler: ""))
    }

    public func add(_ server: IPVSRealServer, to service: IPVSVirtualService.Key) throws {
        try change(Int(IPVS_CMD_NEW_DEST), "add", server, "to", service)
    }

    /// Changes a real server's weight, forwarding, thresholds and tunnel.
    public func edit(_ server: IPVSRealServer, of service: IPVSVirtualService.Key) throws {
        try change(Int(IPVS_CMD_SET_DEST), "edit", server, "of", service)
    }

    public func delete(_ server: IPVSRealServer, from service: IPVSVirtualService.Key) throws {
        try change(Int(IPVS_CMD_DEL_DEST), "delete", server, "from", service)
    }

    /// Deletes every service (`ipvsadm -C`).
    public func flush() throws {
        try link.withLock { try $0.netlink.change(Int(IPVS_CMD_FLUSH), "flush IPVS") { _ in } }
    }

    private func change(_ command: Int, _ operation: String, _ service: IPVSVirtualService) throws {
        let full = command != Int(IPVS_CMD_DEL_SERVICE)
        try link.withLock {
            try $0.netlink.change(command, operation) { IPVSAttributes.put(service, full: full, into: $0) }
        }
    }

    private func change(
        _ command: Int, _ verb: String, _ server: IPVSRealServer, _ preposition: String,
        _ key: IPVSVirtualService.Key
    ) throws {
        let endpoint = Endpoint(server.address, port: server.port)
        let full = command != Int(IPVS_CMD_DEL_DEST)
        try link.withLock {
            try $0.netlink.change(command, "\(verb) real server \(endpoint) \(preposition) IPVS service \(key)") {
                IPVSAttributes.put(IPVSVirtualService(key, scheduler: ""), full: false, into: $0)
                IPVSAttributes.put(server, full: full, into: $0)
            }
        }
    }

    // MARK: Timeouts

    public func timeouts() throws -> IPVSTimeouts {
        try link.withLock { link in
            var timeouts = IPVSTimeouts(tcp: 0, tcpFin: 0, udp: 0)
            try link.netlink.get(Int(IPVS_CMD_GET_CONFIG), dump: false, "read IPVS timeouts", { _ in }) { header in
                guard let generic = genlmsg_hdr(header) else { return }
                func seconds(_ attribute: Int) -> UInt32 {
                    IPVSAttributes.u32(
                        nla_find(genlmsg_attrdata(generic, 0), genlmsg_attrlen(generic, 0), Int32(attribute)))
                }
                timeouts.tcp = seconds(Int(IPVS_CMD_ATTR_TIMEOUT_TCP))
                timeouts.tcpFin = seconds(Int(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN))
                timeouts.udp = seconds(Int(IPVS_CMD_ATTR_TIMEOUT_UDP))
            }
            return timeouts
        }
    }

    /// Sets the timeouts; 0 leaves one as it is. Connections that exist take them over with their next packet.
    public func set(_ timeouts: IPVSTimeouts) throws {
        try link.withLock {
            try $0.netlink.change(Int(IPVS_CMD_SET_CONFIG), "set IPVS timeouts") { message in
                nla_put_u32(message, Int32(IPVS_CMD_ATTR_TIMEOUT_TCP), timeouts.tcp)
                nla_put_u32(message, Int32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN), timeouts.tcpFin)
                nla_put_u32(message, Int32(IPVS_CMD_ATTR_TIMEOUT_UDP), timeouts.udp)
            }
        }
    }

    // MARK: Reading

    /// A service as the kernel has it.
    struct Configured {
        var service: IPVSVirtualService
        var statistics: IPVSStatistics
        var realServers: [(server: IPVSRealServer, evidence: IPVSDestination)] = []
    }

    /// Services and connections, each in a fixed order.
    public func state() throws -> IPVSState {
        IPVSState(services: try services(), connections: try connections())
    }

    /// Services and their real servers with statistics (`ipvsadm -Ln --stats`), in ipvsadm's order: by firewall mark,
    /// address family, protocol, address and port.
    ///
    /// The kernel sums its counters up for readers every 2 seconds only (ip_vs_est.c), each service's and each real
    /// server's at a time of its own: see ``isCurrent(_:)``.
    public func services() throws -> [IPVSService] {
        try configured().map { IPVSService($0) }
    }

    /// Whether these statistics, as just read, are all that the kernel has counted: whether those of the services make up
    /// the namespace's total, and those of the real servers their service's.
    ///
    /// They never do once a service or real server with traffic was deleted, or counters were zeroed; but then, too, they
    /// are complete 2 seconds after the last packet. The total is read from /proc/net/ip_vs_stats_percpu, which is not
    /// delayed.
    public func isCurrent(_ services: [IPVSService]) throws -> Bool {
        guard let text = try files.text(of: Self.totalsFile) else { return true }
        return IPVSTotals.parse(text) == IPVSTotals.sum(services.map(\.statistics))
            && services.allSatisfy { $0.statistics == IPVSTotals.sum($0.destinations.map(\.statistics)) }
    }

    /// How many connections were scheduled in the namespace until now; not delayed.
    public func scheduled() throws -> Int {
        try files.text(of: Self.totalsFile).map { Int(IPVSTotals.parse($0).connections) } ?? 0
    }

    /// What `ipvsadm -Sn` prints.
    public func saved() throws -> String {
        try configured().map { $0.service.saved($0.realServers.map(\.server)) }.joined()
    }

    func configured() throws -> [Configured] {
        try link.withLock { link in
            var all: [Configured] = []
            try link.netlink.get(Int(IPVS_CMD_GET_SERVICE), dump: true, "read IPVS services", { _ in }) { header in
                guard
                    let attributes = IPVSAttributes.nested(
                        Int(IPVS_CMD_ATTR_SERVICE), last: Int(IPVS_SVC_ATTR_STATS64), in: header),
                    let service = IPVSAttributes.service(attributes)
                else { return }
                let statistics = IPVSAttributes.statistics(
                    attributes[Int(IPVS_SVC_ATTR_STATS64)], attributes[Int(IPVS_SVC_ATTR_STATS)])
                all.append(Configured(service: service, statistics: statistics))
            }
            all.sort { IPVSVirtualService.Key.inOrder($0.service.key, $1.service.key) }
            for index in all.indices { try readRealServers(of: &all[index], link.netlink) }
            return all
        }
    }

    private func readRealServers(of configured: inout Configured, _ netlink: GenericNetlink) throws {
        let service = configured.service
        var servers: [(server: IPVSRealServer, evidence: IPVSDestination)] = []
        let write: (OpaquePointer) -> Void = { IPVSAttributes.put(service, full: false, into: $0) }
        let operation = "read real servers of IPVS service \(service.key)"
        try netlink.get(Int(IPVS_CMD_GET_DEST), dump: true, operation, write) { header in
            guard
                let attributes = IPVSAttributes.nested(
                    Int(IPVS_CMD_ATTR_DEST), last: Int(IPVS_DEST_ATTR_TUN_FLAGS), in: header),
                let server = IPVSAttributes.realServer(attributes, of: service)
            else { return }
            let evidence = IPVSDestination(
                address: server.address, port: server.port, forwarding: server.forwarding.rawValue,
                weight: Int(server.weight),
                activeConnections: IPVSAttributes.u32(attributes[Int(IPVS_DEST_ATTR_ACTIVE_CONNS)]),
                inactiveConnections: IPVSAttributes.u32(attributes[Int(IPVS_DEST_ATTR_INACT_CONNS)]),
                statistics: IPVSAttributes.statistics(
                    attributes[Int(IPVS_DEST_ATTR_STATS64)], attributes[Int(IPVS_DEST_ATTR_STATS)]))
            servers.append((server, evidence))
        }
        configured.realServers = servers.sorted { IPVSRealServer.inOrder($0.server, $1.server) }
    }

    // MARK: Connections

    private static let connectionsFile = "ip_vs_conn"
    private static let totalsFile = "ip_vs_stats_percpu"

    /// The connection table (`ipvsadm -Lnc`), ordered by protocol, client, virtual endpoint and real server.
    ///
    /// Read from /proc/net/ip_vs_conn: there is no netlink interface to it.
    public func connections() throws -> [IPVSConnection] {
        IPVSConnectionTable.parse(try files.text(of: Self.connectionsFile) ?? "")
    }
}

extension IPVSService {
    fileprivate init(_ configured: IPVSHandle.Configured) {
        let service = configured.service
        var transport: String?
        var endpoint: Endpoint?
        var mark: UInt32?
        switch service.key {
        case .endpoint(let of, let at): (transport, endpoint) = (of.rawValue, at)
        case .firewallMark(let number, _): mark = number
        }
        self.init(
            protocol: transport, address: endpoint?.address, port: endpoint?.port, firewallMark: mark,
            scheduler: service.scheduler, persistence: service.persistence, onePacket: service.onePacket,
            statistics: configured.statistics, destinations: configured.realServers.map(\.evidence))
    }
}
