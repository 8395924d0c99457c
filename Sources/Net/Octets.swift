/// Big-endian reads at an offset. The span checks its bounds: reading past the end stops the program rather than reading
/// other memory, so every caller first compares what it needs with what there is.
extension Span<UInt8> {
    @inline(__always)
    func uint16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
    }

    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        UInt32(uint16(at: offset)) << 16 | UInt32(uint16(at: offset + 2))
    }

    @inline(__always)
    func macAddress(at offset: Int) -> MACAddress {
        MACAddress(bits: UInt64(uint16(at: offset)) << 32 | UInt64(uint32(at: offset + 2)))
    }

    @inline(__always)
    func ipv4Address(at offset: Int) -> IPAddress {
        IPAddress(v4: uint32(at: offset))
    }

    @inline(__always)
    func ipv6Address(at offset: Int) -> IPAddress {
        let high = UInt64(uint32(at: offset)) << 32 | UInt64(uint32(at: offset + 4))
        let low = UInt64(uint32(at: offset + 8)) << 32 | UInt64(uint32(at: offset + 12))
        return IPAddress(v6: UInt128(high) << 64 | UInt128(low))
    }
}
