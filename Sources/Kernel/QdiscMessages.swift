internal import CNetlink
internal import Glibc

extension RouteRequest {
    func qdiscMessage(_ indices: [String: Int32]) throws(KernelError) -> [UInt8] {
        var header = tcmsg()
        header.tcm_parent = TC_H_ROOT
        switch self {
        case .setNetem(let link, let netem):
            header.tcm_ifindex = try indices.index(of: link)
            var message = NetlinkMessage(RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_REPLACE)
            message.append(header)
            try message.put(netem)
            return try message.bytes()
        case .setTokenBucket(let link, let bucket):
            header.tcm_ifindex = try indices.index(of: link)
            var message = NetlinkMessage(RTM_NEWQDISC, flags: NLM_F_CREATE | NLM_F_REPLACE)
            message.append(header)
            try message.put(bucket)
            return try message.bytes()
        case .deleteQdisc(let link):
            header.tcm_ifindex = try indices.index(of: link)
            var message = NetlinkMessage(RTM_DELQDISC)
            message.append(header)
            return try message.bytes()
        default: throw misrouted()
        }
    }
}

extension NetlinkMessage {
    fileprivate mutating func put(_ netem: Netem) throws(KernelError) {
        guard netem.delay >= 0, netem.jitter >= 0 else { throw invalid("a delay and its jitter are not negative") }
        guard netem.reorder == 0 || netem.delay > 0 else { throw invalid("reordering needs a delay") }
        var options = tc_netem_qopt()
        options.limit = netem.limit
        options.loss = try probability(netem.loss, "loss")
        options.duplicate = try probability(netem.duplicate, "duplicate")
        // Every packet is a candidate, as `tc … reorder` without a gap has it; without a gap nothing is reordered.
        options.gap = netem.reorder > 0 ? 1 : 0
        var reorder = tc_netem_reorder()
        reorder.probability = try probability(netem.reorder, "reorder")
        let octets = try octetsPerSecond(netem.rate)
        var rate = tc_netem_rate()
        rate.rate = UInt32(clamping: octets)
        put(TCA_KIND, string: "netem")
        nest(TCA_OPTIONS) { message in
            message.append(options)
            if reorder.probability != 0 { message.put(TCA_NETEM_REORDER, value: reorder) }
            if octets > UInt64(UInt32.max) { message.put(TCA_NETEM_RATE64, value: octets) }
            if octets > 0 { message.put(TCA_NETEM_RATE, value: rate) }
            // In nanoseconds, unlike the scheduler ticks of tc_netem_qopt, which these override (netem_change).
            message.put(TCA_NETEM_LATENCY64, value: netem.delay)
            message.put(TCA_NETEM_JITTER64, value: netem.jitter)
        }
    }

    fileprivate mutating func put(_ bucket: TokenBucket) throws(KernelError) {
        let octets = try octetsPerSecond(bucket.rate)
        guard octets > 0, bucket.burst > 0 else { throw invalid("rate and burst are more than 0") }
        guard bucket.latency >= 0 else { throw invalid("a latency is not negative") }
        let queue = Double(octets) * Double(bucket.latency) / 1e9 + Double(bucket.burst)
        guard let limit = UInt32(exactly: queue.rounded(.down)) else { throw invalid("the queue exceeds 4 GiB") }
        var options = tc_tbf_qopt()
        options.rate.rate = UInt32(clamping: octets)
        // Otherwise the kernel asks for a rate table, to guess the link layer from (tbf_change).
        options.rate.linklayer = UInt8(TC_LINKLAYER_ETHERNET.rawValue)
        options.limit = limit
        put(TCA_KIND, string: "tbf")
        nest(TCA_OPTIONS) { message in
            message.put(TCA_TBF_PARMS, value: options)
            // In octets, unlike the scheduler ticks of tc_tbf_qopt.
            message.put(TCA_TBF_BURST, value: bucket.burst)
            if octets > UInt64(UInt32.max) { message.put(TCA_TBF_RATE64, value: octets) }
        }
    }
}

private func invalid(_ explanation: String) -> KernelError {
    KernelError("encode a qdisc", code: EINVAL, explanation: explanation)
}

/// Percent as the kernel counts them: of 2³² - 1.
private func probability(_ percent: Double, _ what: String) throws(KernelError) -> UInt32 {
    guard (0...100).contains(percent) else { throw invalid("\(what) is 0 to 100 percent, not \(percent)") }
    return UInt32((percent / 100 * Double(UInt32.max)).rounded())
}

private func octetsPerSecond(_ bits: Int64) throws(KernelError) -> UInt64 {
    guard bits == 0 || bits >= 8 else { throw invalid("a rate is at least 8 bit/s, not \(bits)") }
    return UInt64(bits / 8)
}
