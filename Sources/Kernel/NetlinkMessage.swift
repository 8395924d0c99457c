internal import CNetlink
internal import Glibc

/// A netlink message under construction, in libnl's nl_msg: libnl keeps lengths and padding.
struct NetlinkMessage: ~Copyable {
    private let message: OpaquePointer?
    /// Set when libnl had no room for something, or no memory for the message.
    private var isIncomplete: Bool

    /// A message of the given type (RTM_NEWLINK, …) with NLM_F_REQUEST and `flags`. Sequence number and port are left 0:
    /// they belong to the conversation.
    init(_ type: some BinaryInteger, flags: Int32 = 0) {
        // Requests are a few hundred octets; libnl takes a page.
        message = nlmsg_alloc_simple(Int32(type), NLM_F_REQUEST | flags)
        isIncomplete = message == nil
    }

    deinit {
        if let message { nlmsg_free(message) }
    }

    /// Appends a fixed header such as ifinfomsg, padded to four octets.
    mutating func append<Header: BitwiseCopyable>(_ header: Header) {
        guard let message else { return }
        let code = withUnsafeBytes(of: header) { bytes in
            nlmsg_append(
                message, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, Int32(NLMSG_ALIGNTO))
        }
        if code < 0 { isIncomplete = true }
    }

    /// Appends an attribute.
    mutating func put(_ type: some BinaryInteger, _ octets: [UInt8]) {
        guard let message else { return }
        if nla_put(message, Int32(type), Int32(octets.count), octets) < 0 { isIncomplete = true }
    }

    /// Appends an attribute that holds a number or a C structure in the host's byte order.
    mutating func put<Value: BitwiseCopyable>(_ type: some BinaryInteger, value: Value) {
        put(type, withUnsafeBytes(of: value) { Array($0) })
    }

    /// Appends a string with its terminating zero.
    mutating func put(_ type: some BinaryInteger, string: String) {
        put(type, Array(string.utf8) + [0])
    }

    /// Appends an attribute that holds what `body` appends. Without NLA_F_NESTED, as iproute2 and the kernel before 5.2
    /// have it for rtnetlink.
    mutating func nest(_ type: some BinaryInteger, _ body: (inout NetlinkMessage) -> Void) {
        guard let message, let start = nla_nest_start(message, Int32(type)) else {
            isIncomplete = true
            return
        }
        // libnl 3.7 sets NLA_F_NESTED; VETH_INFO_PEER and TCA_OPTIONS start with a structure and are no pure nests.
        start.pointee.nla_type = UInt16(type)
        body(&self)
        // Not nla_nest_end: it takes an empty nest back out, and a dummy's IFLA_INFO_DATA may be empty.
        if let header = nlmsg_hdr(message) {
            let end = UnsafeMutableRawPointer(header) + Int(header.pointee.nlmsg_len)
            start.pointee.nla_len = UInt16(UnsafeRawPointer(end) - UnsafeRawPointer(start))
        }
    }

    /// The finished message. Errors: EMSGSIZE when it did not fit libnl's buffer.
    func bytes() throws(KernelError) -> [UInt8] {
        guard !isIncomplete, let message, let header = nlmsg_hdr(message) else {
            throw KernelError("build a netlink message", code: EMSGSIZE)
        }
        return Array(UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
    }
}

/// A netlink message that the kernel sent, or a part of one.
struct NetlinkReply {
    var type: UInt16
    var flags: UInt16
    var sequence: UInt32
    /// What stands behind nlmsghdr.
    var payload: ArraySlice<UInt8>

    /// The messages in one datagram; whatever does not parse ends them.
    static func all(in datagram: [UInt8]) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var rest = datagram[...]
        while let header = rest.load(nlmsghdr.self), header.nlmsg_len >= UInt32(MemoryLayout<nlmsghdr>.size),
            Int(header.nlmsg_len) <= rest.count
        {
            let length = Int(header.nlmsg_len)
            replies.append(
                NetlinkReply(
                    type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq,
                    payload: rest.prefix(length).dropFirst(MemoryLayout<nlmsghdr>.size)))
            rest = rest.dropFirst(length.alignedForNetlink)
        }
        return replies
    }
}

/// The attributes behind a message's fixed header, or in a nest.
struct NetlinkAttributes {
    private var values: [Int: ArraySlice<UInt8>] = [:]

    /// Of several attributes of one type the last counts, as in libnl's nla_parse.
    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let header = rest.load(nlattr.self), header.nla_len >= UInt16(MemoryLayout<nlattr>.size),
            Int(header.nla_len) <= rest.count
        {
            let length = Int(header.nla_len)
            values[Int(header.nla_type) & ~Int(NLA_F_NESTED | NLA_F_NET_BYTEORDER)] = rest.prefix(length).dropFirst(
                MemoryLayout<nlattr>.size)
            rest = rest.dropFirst(length.alignedForNetlink)
        }
    }

    subscript(_ type: some BinaryInteger) -> ArraySlice<UInt8>? { values[Int(type)] }

    func number<Value: BitwiseCopyable>(_ type: some BinaryInteger, as: Value.Type = Value.self) -> Value? {
        self[type]?.load(Value.self)
    }

    /// A string, up to its terminating zero.
    func string(_ type: some BinaryInteger) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func nest(_ type: some BinaryInteger) -> NetlinkAttributes? {
        self[type].map(NetlinkAttributes.init)
    }
}

extension ArraySlice<UInt8> {
    /// The structure at the start, wherever that is aligned; nil if there are too few octets.
    func load<Value: BitwiseCopyable>(_: Value.Type) -> Value? {
        guard count >= MemoryLayout<Value>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
    }
}

extension Int {
    /// Rounded up to NLMSG_ALIGNTO and NLA_ALIGNTO, which are both 4.
    fileprivate var alignedForNetlink: Int { (self + 3) & ~3 }
}
