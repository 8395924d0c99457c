/// What netem(8) does to the packets that leave a link.
public struct Netem: Sendable, Equatable {
    /// Nanoseconds.
    public var delay: Int64
    /// Nanoseconds; random, so that packets may overtake each other.
    public var jitter: Int64
    /// Percent, 0 to 100.
    public var loss: Double
    /// Percent, 0 to 100.
    public var duplicate: Double
    /// Percent of packets that are sent at once, past those that are delayed; needs a delay.
    public var reorder: Double
    /// Bits per second; 0 for no limit.
    public var rate: Int64
    /// Packets in the queue.
    public var limit: UInt32

    public init(
        delay: Int64 = 0, jitter: Int64 = 0, loss: Double = 0, duplicate: Double = 0, reorder: Double = 0,
        rate: Int64 = 0, limit: UInt32 = 1000
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.duplicate = duplicate
        self.reorder = reorder
        self.rate = rate
        self.limit = limit
    }
}

/// A token bucket filter, tbf(8): what leaves a link, leaves it at a rate.
public struct TokenBucket: Sendable, Equatable {
    /// Bits per second.
    public var rate: Int64
    /// Octets that may leave at once; frames larger than this are dropped.
    public var burst: UInt32
    /// Nanoseconds that a packet may wait; from it and the rate follows the queue's length.
    public var latency: Int64

    public init(rate: Int64, burst: UInt32, latency: Int64) {
        self.rate = rate
        self.burst = burst
        self.latency = latency
    }
}
