internal import Scenario

/// Words that other programs define.
enum Vocabulary {
    /// What became of a request: the names of `Evidence.Outcome`, which this room does not see.
    static let outcomes = [
        "answered", "refused", "reset", "unreachable", "connect timed out", "connected then silent", "closed early",
        "no answer", "failed",
    ]

    /// The key of `answered_by` that is no host.
    static let total = "total"

    /// Linux 6.12's net/netfilter/ipvs/ip_vs_*.c.
    static let schedulers = [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
    ]

    /// tcp_conntrack_names in nf_conntrack_proto_tcp.c and sctp_conntrack_names in nf_conntrack_proto_sctp.c.
    static let conntrackStates = [
        "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
        "SYN_SENT2", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT",
        "HEARTBEAT_SENT",
    ]

    /// What conntrack(8) writes in brackets.
    static let conntrackFlags = ["UNREPLIED", "ASSURED", "OFFLOAD", "HW_OFFLOAD"]

    /// tcp_state_name_table, udp_state_name_table and sctp_state_name_table in net/netfilter/ipvs.
    static let ipvsStates = [
        "NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK",
        "LISTEN", "SYNACK", "UDP", "INIT1", "INIT", "COOKIE_SENT", "COOKIE_REPLIED", "COOKIE_WAIT", "COOKIE",
        "COOKIE_ECHOED", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "SHUTDOWN_ACK_SENT", "REJECTED", "CLOSED",
    ]

    /// ip-neighbour(8), but for those that `ip neigh` does not show.
    static let neighbourStates = ["INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "PERMANENT"]
    static let hiddenNeighbourStates = ["NONE", "NOARP"]

    static let ruleFamilies = ["ipv4", "ipv6", "arp", "bridge"]
    static let tables = ["filter", "nat", "mangle", "raw", "security", "broute"]
    static let drivers = ["linuxbridge", "ovs_hybrid"]
}
