/// The life of an entry of a namespace's conntrack table, as the kernel's events tell it (`conntrack -E`).
public struct ConntrackHistory: Codable, Sendable, Equatable {
    public var namespace: String
    /// As in `ConntrackEntry`.
    public var `protocol`: String
    public var original: ConntrackTuple
    public var reply: ConntrackTuple
    public var zone: UInt16
    /// In the order in which they happened.
    public var changes: [Change] = []

    /// What happened to the entry.
    public struct Change: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable {
            case new, updated, destroyed
        }

        public var time: Nanoseconds
        public var kind: Kind
        /// The state and the flags behind it, as in `ConntrackEntry`.
        public var state: String?
        public var flags: [String]

        public init(time: Nanoseconds, kind: Kind, state: String?, flags: [String]) {
            self.time = time
            self.kind = kind
            self.state = state
            self.flags = flags
        }
    }

    public init(namespace: String, entry: ConntrackEntry) {
        self.namespace = namespace
        `protocol` = entry.protocol
        original = entry.original
        reply = entry.reply
        zone = entry.zone
    }
}

/// A packet that conntrack called INVALID, in its own words (`net.netfilter.nf_conntrack_log_invalid`).
public struct InvalidPacket: Codable, Sendable, Equatable {
    public var namespace: String
    public var time: Nanoseconds
    /// `nf_ct_proto_6: packet (index 3) in dir 0 invalid, state SYN_SENT`.
    public var reason: String
    /// The start of the packet from its IP header on, as hexadecimal digits.
    public var octets: String
    /// The entry that it would belong to, as it was then; nil if there was none.
    public var entry: ConntrackEntry?

    public init(namespace: String, time: Nanoseconds, reason: String, octets: String, entry: ConntrackEntry?) {
        self.namespace = namespace
        self.time = time
        self.reason = reason
        self.octets = octets
        self.entry = entry
    }
}

/// The rules that a packet met in a namespace, in order (`-j TRACE`).
public struct TracedPacket: Codable, Sendable, Equatable {
    public var namespace: String
    public var time: Nanoseconds
    /// The start of the packet from its IP header on, as hexadecimal digits, as it came.
    public var octets: String
    public var steps: [Step] = []

    /// A rule, or a chain's end.
    public struct Step: Codable, Sendable, Equatable {
        /// `filter:neutron-linuxbri-FORWARD:rule:3`: table, chain, `rule`, `return` or `policy`, and the rule's number.
        public var rule: String
        /// What conntrack took the packet for: NEW, ESTABLISHED, RELATED, UNTRACKED; nil where it has given it no state:
        /// not yet, or it is INVALID.
        public var state: String?

        public init(rule: String, state: String?) {
            self.rule = rule
            self.state = state
        }
    }

    public init(namespace: String, time: Nanoseconds, octets: String) {
        self.namespace = namespace
        self.time = time
        self.octets = octets
    }
}
