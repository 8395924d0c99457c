internal import CNetlink
internal import Glibc

/// rtnetlink in one namespace: links, addresses, routes, neighbours, forwarding databases and qdiscs.
///
/// One socket, opened on the namespace's thread and then used from any; calls from several threads come one after
/// another. The socket keeps the namespace alive. Privileges: CAP_NET_ADMIN for every change.
public final class RouteNetlink: Sendable {
    let conversation: NetlinkConversation

    /// Errors: those of socket(2).
    public convenience init(in namespace: NetworkNamespace) throws(KernelError) {
        self.init(over: try NetlinkSocket(protocol: NETLINK_ROUTE, in: namespace))
    }

    init(over transport: any NetlinkTransport) {
        conversation = NetlinkConversation(over: transport)
    }

    /// Carries a request out.
    ///
    /// Errors: the kernel's errno and its own words, if it had any, about the request's description; ENODEV for a link
    /// that does not exist.
    public func perform(_ request: RouteRequest) throws(KernelError) {
        try perform([request])
    }

    /// Carries the requests out in order, in few system calls: as many as can be go in one datagram.
    ///
    /// Errors: those of the first request that failed. Requests behind it may have been carried out as well, as the
    /// kernel goes on to the end of a datagram.
    public func perform(_ requests: [RouteRequest]) throws(KernelError) {
        var batch: [RouteRequest] = []
        var renamed: Set<String> = []
        for request in requests {
            // Indices are looked up before a batch is sent, so a link must exist by then.
            if !renamed.isDisjoint(with: request.references) {
                try send(batch)
                batch = []
                renamed = []
            }
            batch.append(request)
            renamed.formUnion(request.renames)
        }
        try send(batch)
    }

    /// Makes the kernel catch up with these links' carrier. A veth that was just set up drops every frame in silence until
    /// linkwatch's deferred work, up to a second later, gives it a real queue; asking about one link by name does that
    /// work at once (rtnl_getlink calls linkwatch_sync_dev in Linux 6.12).
    ///
    /// Links that do not exist are passed over.
    public func awaitCarrier(of links: [String]) throws(KernelError) {
        _ = try indices(of: links)
    }

    private func send(_ batch: [RouteRequest]) throws(KernelError) {
        let indices = try indices(of: batch.flatMap(\.references))
        var messages: [[UInt8]] = []
        var unsendable: KernelError?
        for request in batch {
            do throws(KernelError) {
                messages.append(try request.message(indices: indices))
            } catch {
                unsendable = error
                unsendable?.namespace = conversation.namespace
                break
            }
        }
        let answers = try conversation.exchange(messages)
        for (request, answer) in zip(batch, answers) where answer.code != 0 {
            throw KernelError(
                request.description, code: answer.code, explanation: answer.explanation,
                namespace: conversation.namespace)
        }
        if let unsendable { throw unsendable }
    }

    /// The indices of the links that exist, asked for at once and never remembered: a link may be deleted and created
    /// anew, with another index, from the namespace of its peer.
    private func indices(of names: [String]) throws(KernelError) -> [String: Int32] {
        let names = Set(names).sorted()
        guard !names.isEmpty else { return [:] }
        var requests: [[UInt8]] = []
        for name in names {
            var message = NetlinkMessage(RTM_GETLINK)
            message.append(ifinfomsg())
            message.put(IFLA_IFNAME, string: name)
            message.put(IFLA_EXT_MASK, value: UInt32(RTEXT_FILTER_SKIP_STATS))
            requests.append(try message.bytes())
        }
        var indices: [String: Int32] = [:]
        for (name, answer) in zip(names, try conversation.exchange(requests)) {
            if let header = answer.replies.first?.payload.load(ifinfomsg.self) { indices[name] = header.ifi_index }
        }
        return indices
    }

    /// The names of links by index.
    func names(of indices: some Sequence<Int32>) throws(KernelError) -> [Int32: String] {
        let indices = Set(indices).sorted()
        guard !indices.isEmpty else { return [:] }
        var requests: [[UInt8]] = []
        for index in indices {
            var header = ifinfomsg()
            header.ifi_index = index
            var message = NetlinkMessage(RTM_GETLINK)
            message.append(header)
            message.put(IFLA_EXT_MASK, value: UInt32(RTEXT_FILTER_SKIP_STATS))
            requests.append(try message.bytes())
        }
        var names: [Int32: String] = [:]
        for (index, answer) in zip(indices, try conversation.exchange(requests)) {
            guard let reply = answer.replies.first else { continue }
            names[index] = NetlinkAttributes(reply.payload.dropFirst(MemoryLayout<ifinfomsg>.size)).string(IFLA_IFNAME)
        }
        return names
    }
}
