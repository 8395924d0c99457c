public import Net

/// A packet written field by field, for what no well-behaved host would send.
public struct CraftedPacket: Sendable, Equatable {
    /// The port that it leaves by, as expectations name ports: `client`, `rs1:eth0`, `hv1:tap(lb)`.
    public var from: String
    /// The frame's source and destination, each a MAC or a host's name; nil for the port's own and for broadcast.
    public var sourceMAC: String?
    public var destinationMAC: String?
    public var content: Content
    /// How often, and how long to wait in between, in nanoseconds.
    public var count: Int
    public var interval: Int64

    public enum Content: Sendable, Equatable {
        case arp(ARP)
        case ip(IP)
        /// Ethertype and payload.
        case other(UInt16, [UInt8])
    }

    public struct ARP: Sendable, Equatable {
        public enum Operation: String, Sendable, CaseIterable { case request, reply }
        public var operation = Operation.request
        public var sender = IPAddress(v4: 0)
        /// nil for the frame's.
        public var senderMAC: String?
        public var target = IPAddress(v4: 0)
        /// nil for zeros in a request, the frame's destination in a reply.
        public var targetMAC: String?

        public init() {}
    }

    public struct IP: Sendable, Equatable {
        public var source = IPAddress(v4: 0)
        public var destination = IPAddress(v4: 0)
        public var ttl: Int = 64
        public var payload = Payload.other(255, [])

        public init() {}
    }

    public enum Payload: Sendable, Equatable {
        case tcp(TCP)
        case udp(UDP)
        case icmp(ICMP)
        /// A protocol number and octets.
        case other(UInt8, [UInt8])
    }

    /// With ranges of ports one packet for each source and destination.
    public struct TCP: Sendable, Equatable {
        public var sourcePorts: ClosedRange<UInt16> = 0...0
        public var destinationPorts: ClosedRange<UInt16> = 0...0
        public var flags: TCPSegment.Flags = []
        public var sequence: Int = 0
        public var acknowledgement: Int = 0
        public var window: Int = 65535
        public var data = ""

        public init() {}
    }

    public struct UDP: Sendable, Equatable {
        public var sourcePorts: ClosedRange<UInt16> = 0...0
        public var destinationPorts: ClosedRange<UInt16> = 0...0
        public var data = ""

        public init() {}
    }

    public struct ICMP: Sendable, Equatable {
        public var type = 8
        public var code = 0
        /// What follows the checksum.
        public var rest: [UInt8] = [0, 0, 0, 0]

        public init() {}
    }

    public init(
        from: String, sourceMAC: String? = nil, destinationMAC: String? = nil, content: Content, count: Int = 1,
        interval: Int64 = 0
    ) {
        self.from = from
        self.sourceMAC = sourceMAC
        self.destinationMAC = destinationMAC
        self.content = content
        self.count = count
        self.interval = interval
    }
}
