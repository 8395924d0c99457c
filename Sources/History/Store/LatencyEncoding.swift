internal import Measurement

/// A distribution in few octets: most buckets take two to four.
///
/// Version 1: the octet 1, the number of digits, and for each bucket how far it is above the one before (nanoseconds) and its
/// count. Numbers are in base 128, the lowest digits first, the high bit set on all octets but the last (LEB128).
extension LatencyDistribution {
    var encoded: [UInt8] {
        var octets: [UInt8] = [1]
        octets.append(number: UInt64(max(significantDigits, 0)))
        var last: UInt64 = 0
        for bucket in buckets {
            octets.append(number: bucket.nanoseconds &- last)
            octets.append(number: bucket.count)
            last = bucket.nanoseconds
        }
        return octets
    }

    /// nil for what `encoded` did not make.
    init?(encoded: [UInt8]) {
        guard encoded.first == 1 else { return nil }
        var rest = encoded.dropFirst()
        guard let digits = rest.takeNumber(), digits <= 18 else { return nil }
        var buckets: [Bucket] = []
        var nanoseconds: UInt64 = 0
        while !rest.isEmpty {
            guard let step = rest.takeNumber(), let count = rest.takeNumber() else { return nil }
            nanoseconds &+= step
            buckets.append(Bucket(nanoseconds: nanoseconds, count: count))
        }
        self.init(significantDigits: Int(digits), buckets: buckets)
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func takeNumber() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let octet = popFirst() else { return nil }
            guard shift < 63 || octet <= 1 else { return nil }
            number |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return number }
        }
        return nil
    }
}
