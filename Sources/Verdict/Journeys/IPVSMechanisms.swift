internal import Evidence
internal import Net
internal import Scenario

/// IPVS' defence against floods (ip_vs_todrop in include/net/ip_vs.h): 1 and 2 are for when memory is short, 3 is always.
struct DropPacketDefence: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .consumedByIPVS,
            failure.journey.protocol != "tcp" || failure.journey.packet.has("tcp [S]"),
            let mode = failure.sysctl("net.ipv4.vs.drop_packet"), mode != "0",
            !failure.weights.allSatisfy({ $0 == 0 })
        else { return nil }
        let rate = failure.sysctl("net.ipv4.vs.am_droprate").map { ", am_droprate=\($0)" } ?? ""
        return Diagnosis(
            name: "IPVS' drop_packet defence",
            because:
                "The packet would have opened a connection, and \(failure.place)'s IPVS drops some of those "
                + "(net.ipv4.vs.drop_packet=\(mode)\(rate)).",
            remedies: [
                .init("a client that repeats its SYN comes through", "drop-packet-defence/patient"),
                .init("a higher net.ipv4.vs.am_droprate drops fewer", "drop-packet-defence/one-in-five"),
            ])
    }
}

/// An entry that leads to a real server that the service does not have any more.
struct RealServerRemoved: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        guard failure.journey.end == .consumedByIPVS, let client = failure.journey.source,
            let virtual = failure.journey.destination
        else { return nil }
        let lost = failure.snapshots.lazy.compactMap { $0.ipvs[failure.place] }.compactMap { state in
            state.connections.first { connection in
                connection.client == client && connection.virtual == virtual
                    && state.services.contains { service in
                        service.address == virtual.address && service.port == virtual.port
                            && !service.destinations.contains { $0.address == connection.destination.address }
                    }
            }
        }.first
        guard let server = lost?.destination else { return nil }
        let isUDP = failure.journey.protocol == "udp"
        let name = failure.scenario.hosts.first { $0.has(server.address) }?.name ?? "\(server.address)"
        return Diagnosis(
            name: "the connection's real server was removed",
            because:
                "\(failure.place)'s entry of the connection leads to \(name), which is no real server of its service any "
                + "more: IPVS drops the packets until the entry expires.",
            remedies: isUDP
                ? [.init("expire_nodest_conn=1: the next datagram finds another one", "udp-stale-rs/expire")]
                : [
                    .init("expire_nodest_conn=1: a reset at once instead of silence", "expire-nodest-conn/expire"),
                    .init("weight 0 first, and remove it when its connections are over", "weight-zero-quiesce"),
                ])
    }
}

struct NoServerLeft: Mechanism {
    func diagnose(_ failure: Case) -> Diagnosis? {
        let end = failure.journey.end
        guard failure.isDirector(failure.place), end == .consumedByIPVS || end == .answeredByICMP,
            let service = failure.service
        else { return nil }
        return Diagnosis(
            name: "IPVS has nobody to send it to",
            because: end == .answeredByICMP
                ? "\(failure.place)'s service \(service.address):\(service.port) has no real server that takes new connections."
                : failure.weights.allSatisfy { $0 == 0 }
                    ? "\(failure.place)'s service \(service.address):\(service.port) has no real server with a weight, and "
                        + "IPVS drops the packet."
                    : "IPVS on \(failure.place) took the packet and sent it to none of its real servers.",
            remedies: [])
    }
}

extension Case {
    /// Of the real servers of the place's service for the journey's destination, as IPVS had them then.
    fileprivate var weights: [Int] {
        snapshots.compactMap { $0.ipvs[place] }.flatMap(\.services).filter {
            $0.address == journey.destination?.address
        }
        .flatMap(\.destinations).map(\.weight)
    }
}
