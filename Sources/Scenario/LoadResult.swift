extension Expectation {
    /// What the measurement of a load gave.
    public struct LoadResult: Sendable, Equatable {
        /// Requests that were to be sent within the measured time, by what became of them.
        public var answered: Count?
        public var failed: Count?
        /// Answers that came within the measured time, rounded to a whole number.
        public var requestsPerSecond: Count?
        /// Bits of HTTP messages or datagrams, both ways, that clients sent and received within the measured time.
        public var throughput: Count?
        /// Nanoseconds, by quantile.
        public var quantiles: [Double: Count]
        /// Octets at the director's ports, in and out, in thousandths of a percent of those at the clients' ports.
        public var directorShare: Count?

        public init(
            answered: Count? = nil, failed: Count? = nil, requestsPerSecond: Count? = nil, throughput: Count? = nil,
            quantiles: [Double: Count] = [:], directorShare: Count? = nil
        ) {
            self.answered = answered
            self.failed = failed
            self.requestsPerSecond = requestsPerSecond
            self.throughput = throughput
            self.quantiles = quantiles
            self.directorShare = directorShare
        }
    }
}
