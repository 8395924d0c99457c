import Testing

@testable import Plan

/// The expected orders are those that CPython 2.7.18 printed.
@Suite("The order of Python 2 dictionaries")
struct Python2OrderTests {
    /// 30 device names: `'tap%08x-%02x' % (n * 2654435761 % 2**32, n)`.
    let devices = (0..<30).map { number in
        let scattered = String(UInt32(truncatingIfNeeded: number * 2_654_435_761), radix: 16)
        let suffix = String(number, radix: 16)
        return "tap" + String(repeating: "0", count: 8 - scattered.count) + scattered + "-"
            + String(repeating: "0", count: 2 - suffix.count) + suffix
    }

    @Test("strings hash as in a 64-bit CPython 2.7")
    func hashes() {
        #expect(Python2Order.hash("tap1b000010-00") == -6_771_745_166_017_827_568)
        #expect(Python2Order.hash("a") == 12_416_037_344)
        #expect(Python2Order.hash("") == 0)
    }

    @Test(
        "a dictionary's order is that of its slots, also after it has grown",
        arguments: [
            (5, [4, 2, 1, 0, 3]), (6, [5, 2, 0, 3, 4, 1]),
            (22, [18, 2, 0, 9, 14, 20, 11, 6, 7, 8, 16, 3, 4, 12, 1, 19, 21, 5, 17, 10, 15, 13]),
            (
                30,
                [
                    27, 22, 18, 2, 0, 9, 14, 20, 11, 6, 7, 8, 16, 3, 4, 24, 12, 1, 26, 23, 25, 19, 21, 29, 5, 17, 10,
                    15, 13, 28,
                ]
            ),
        ])
    func dictionary(count: Int, expected: [Int]) {
        #expect(Python2Order(inserting: devices.prefix(count)).keys == expected.map { devices[$0] })
    }

    @Test("of two names whose hashes collide, the first to come keeps its place")
    func collision() {
        let names = ["tap1b000010-00", "tapa5000021-00", "tapa5000022-00"]
        #expect(Python2Order(inserting: names).keys == [names[0], names[2], names[1]])
        #expect(Python2Order(inserting: [names[2], names[0], names[1]]).keys == [names[2], names[0], names[1]])
    }

    @Test("a key that is already there stays where it is")
    func repeated() {
        #expect(Python2Order(inserting: devices.prefix(5) + devices.prefix(5)).keys.count == 5)
    }

    @Test("a set makes room for another at once")
    func union() {
        var set = Python2Order(inserting: devices[..<3])
        set.formUnion(Python2Order(inserting: devices[2..<9]))
        #expect(set.keys == [5, 6, 7, 8, 2, 0, 3, 4, 1].map { devices[$0] })
    }
}
