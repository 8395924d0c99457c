import Net
import Synchronization
import Testing

@testable import Kernel

/// Answers as a script has it, and remembers what was sent.
private final class ScriptedTransport: NetlinkTransport {
    let namespace: String? = "lb"
    private let state: Mutex<(sent: [[NetlinkReply]], waiting: [[UInt8]])> = Mutex(([], []))
    private let answer: @Sendable ([NetlinkReply]) -> [[UInt8]]

    init(_ answer: @escaping @Sendable ([NetlinkReply]) -> [[UInt8]]) { self.answer = answer }

    /// The messages of each datagram. Requests and replies have one format.
    var sent: [[NetlinkReply]] { state.withLock { $0.sent } }

    func send(_ datagram: [UInt8]) {
        let messages = NetlinkReply.all(in: datagram)
        state.withLock { state in
            state.sent.append(messages)
            state.waiting += answer(messages)
        }
    }

    func receive() throws(KernelError) -> [[UInt8]] {
        let datagram = state.withLock { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst() }
        guard let datagram else { throw KernelError("receive: the script has ended", code: 5, namespace: namespace) }
        return [datagram]
    }
}

private let errorType: UInt16 = 2
private let doneType: UInt16 = 3
private let newLink: UInt16 = 16
private let multi: UInt16 = 0x02
private let acknowledge: UInt16 = 0x04
private let interrupted: UInt16 = 0x10
private let capped: UInt16 = 0x100
private let explained: UInt16 = 0x200

private func littleEndian(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

private func message(_ type: UInt16, flags: UInt16 = 0, sequence: UInt32, _ payload: [UInt8]) -> [UInt8] {
    littleEndian(UInt32(16 + payload.count)) + littleEndian(UInt32(type) | UInt32(flags) << 16)
        + littleEndian(sequence) + littleEndian(0) + payload
}

/// NLMSG_ERROR about a request: the errno, the request, and NLMSGERR_ATTR_MSG.
private func report(_ code: Int32, about request: NetlinkReply, explanation: String? = nil, whole: Bool = true)
    -> [UInt8]
{
    let original = message(
        request.type, flags: request.flags, sequence: request.sequence, Array(request.payload))
    var payload = littleEndian(UInt32(bitPattern: -code)) + (whole ? original : Array(original.prefix(16)))
    if let explanation {
        payload += [UInt8](repeating: 0, count: -payload.count & 3)
        payload += littleEndian(UInt32(4 + explanation.utf8.count + 1) | 1 << 16) + Array(explanation.utf8) + [0]
    }
    return message(
        errorType, flags: (whole ? 0 : capped) | (explanation == nil ? 0 : explained), sequence: request.sequence,
        payload)
}

/// RTM_NEWLINK with an index and a name, in answer to a request.
private func link(_ index: UInt32, _ name: String, flags: UInt16 = 0, for request: NetlinkReply) -> [UInt8] {
    let attribute = littleEndian(UInt32(4 + name.utf8.count + 1) | 3 << 16) + Array(name.utf8) + [0]
    return message(
        newLink, flags: flags, sequence: request.sequence,
        littleEndian(0) + littleEndian(index) + littleEndian(0) + littleEndian(0) + attribute)
}

@Suite("Netlink conversations")
struct NetlinkConversationTests {
    @Test("many requests travel in one datagram, and only the last asks for an acknowledgement")
    func batching() throws {
        let transport = ScriptedTransport { messages in messages.suffix(1).map { report(0, about: $0) } }
        try RouteNetlink(over: transport).perform([.setUp("a"), .setUp("b"), .setUp("eth-vip")])
        #expect(transport.sent.count == 1)
        #expect(transport.sent[0].map { $0.flags & acknowledge != 0 } == [false, false, true])
        #expect(transport.sent[0].map(\.sequence) == [1, 2, 3])
    }

    @Test("a link is looked up before the batch that needs its index, and after the batch that creates it")
    func lookup() throws {
        let transport = ScriptedTransport { messages in
            let names = messages.map { NetlinkAttributes($0.payload.dropFirst(16)).string(3) ?? "" }
            let replies = zip(messages, names).filter { $0.0.type == 18 }.map { link(77, $1, for: $0) }
            return replies + messages.suffix(1).map { report(0, about: $0) }
        }
        try RouteNetlink(over: transport).perform([
            .addBridge(name: "br"), .setUp("br"), .setMaster("eth0", bridge: "br"), .setUp("eth0"),
        ])
        // RTM_NEWLINK and RTM_SETLINK, RTM_GETLINK, RTM_SETLINK twice.
        #expect(transport.sent.map { $0.map(\.type) } == [[16, 19], [18], [19, 19]])
        #expect(NetlinkAttributes(transport.sent[2][0].payload.dropFirst(16)).number(10, as: UInt32.self) == 77)
    }

    @Test("an error is about the request with its sequence number, with the kernel's words", arguments: [true, false])
    func errors(wholeRequestEchoed: Bool) {
        let transport = ScriptedTransport { messages in
            [
                report(22, about: messages[1], explanation: "Invalid lladdr", whole: wholeRequestEchoed),
                report(0, about: messages[2]),
            ]
        }
        let error = #expect(throws: KernelError.self) {
            try RouteNetlink(over: transport).perform([.setUp("a"), .setMTU("b", 9), .setUp("c")])
        }
        #expect(error?.description == "lb: set the MTU of b to 9: EINVAL (Invalid argument): Invalid lladdr")
    }

    @Test("what an earlier exchange left behind is passed over")
    func leftovers() throws {
        let transport = ScriptedTransport { messages in
            [
                message(errorType, sequence: 99, littleEndian(UInt32(bitPattern: -1))),
                message(newLink, sequence: 0, []), [1, 2, 3], report(0, about: messages[0]),
            ]
        }
        try RouteNetlink(over: transport).perform(.setUp("a"))
    }

    @Test("a failing transport is an error, not a hang")
    func transportFailure() {
        let transport = ScriptedTransport { _ in [] }
        #expect(throws: KernelError.self) { try RouteNetlink(over: transport).perform(.setUp("a")) }
    }

    @Test("a dump comes in several datagrams and ends with NLMSG_DONE")
    func dump() throws {
        let transport = ScriptedTransport { messages in
            [
                link(1, "lo", flags: multi, for: messages[0]) + [0] + link(2, "eth0", flags: multi, for: messages[0]),
                link(3, "eth1", flags: multi, for: messages[0]),
                message(doneType, flags: multi, sequence: messages[0].sequence, littleEndian(0)),
            ]
        }
        #expect(try RouteNetlink(over: transport).links().map(\.name) == ["lo", "eth0", "eth1"])
        #expect(transport.sent[0][0].flags == 0x301)  // NLM_F_REQUEST | NLM_F_DUMP
    }

    @Test("a dump that the table changed under is begun anew")
    func interruptedDump() throws {
        let attempts = Mutex(0)
        let transport = ScriptedTransport { messages in
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            let flags = multi | (attempt < 3 ? interrupted : 0)
            return [
                link(UInt32(attempt), "eth\(attempt)", flags: flags, for: messages[0]),
                message(doneType, flags: flags, sequence: messages[0].sequence, littleEndian(0)),
            ]
        }
        #expect(try RouteNetlink(over: transport).links().map(\.name) == ["eth3"])
    }

    @Test("a dump that fails is an error about the table")
    func failingDump() {
        let refused = ScriptedTransport { messages in [report(1, about: messages[0])] }
        let error = #expect(throws: KernelError.self) { try RouteNetlink(over: refused).neighbours() }
        #expect(error?.description == "lb: list neighbours: EPERM (Operation not permitted)")
        let aborted = ScriptedTransport { messages in
            [message(doneType, flags: multi, sequence: messages[0].sequence, littleEndian(UInt32(bitPattern: -105)))]
        }
        #expect(throws: KernelError("list links", code: 105, namespace: "lb")) {
            try RouteNetlink(over: aborted).links()
        }
    }

    @Test(
        "lengths that lie end a datagram, or a set of attributes", arguments: [0, 3, 15, 200, 0xFFFF_FFFF] as [UInt32])
    func malformed(length: UInt32) {
        #expect(NetlinkReply.all(in: littleEndian(length) + [UInt8](repeating: 0, count: 20)).isEmpty)
        let attributes = NetlinkAttributes((littleEndian(length & 0xFF | 1 << 16) + [1])[...])
        #expect(attributes.number(1, as: UInt32.self) == nil)
    }
}
