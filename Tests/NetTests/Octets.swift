import Net

/// Hexadecimal text as octets; white space counts for nothing.
func octets(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Big-endian octets of a number.
func octets(_ number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

/// fa:16:3e:00:00:01 to fa:16:3e:00:00:03
let ethernet = octets("fa163e000003 fa163e000001")

func frame(_ etherType: UInt16, _ payload: [UInt8]) -> [UInt8] { ethernet + octets(etherType) + payload }

func ipv4(
    _ number: UInt8, _ payload: [UInt8], source: String = "203.0.113.1", destination: String = "203.0.113.2",
    fragment: UInt16 = 0x4000, totalLength: Int? = nil, options: [UInt8] = []
) -> [UInt8] {
    let header = 20 + options.count
    return [0x40 | UInt8(header / 4), 0] + octets(UInt16(totalLength ?? header + payload.count)) + octets(UInt16(7))
        + octets(fragment) + [64, number, 0, 0] + (IPAddress(source)?.octets ?? [])
        + (IPAddress(destination)?.octets ?? []) + options + payload
}

func ipv6(_ number: UInt8, _ payload: [UInt8], payloadLength: Int? = nil) -> [UInt8] {
    octets("60000000") + octets(UInt16(payloadLength ?? payload.count)) + [number, 63]
        + (IPAddress("2001:db8::1")?.octets ?? []) + (IPAddress("2001:db8::2")?.octets ?? []) + payload
}

func tcp(
    flags: UInt8, sequence: UInt32 = 1000, acknowledgement: UInt32 = 0, options: [UInt8] = [], payload: [UInt8] = []
) -> [UInt8] {
    octets(UInt16(40000)) + octets(UInt16(80)) + octets(sequence) + octets(acknowledgement)
        + [UInt8((20 + options.count) / 4) << 4, flags] + octets(UInt16(64240)) + [0, 0, 0, 0] + options + payload
}

func udp(_ payload: [UInt8]) -> [UInt8] {
    octets(UInt16(5353)) + octets(UInt16(53)) + octets(UInt16(8 + payload.count)) + [0, 0] + payload
}
