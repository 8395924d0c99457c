internal import CNetlink
internal import Glibc

/// A socket of one generic netlink family. Not safe for use by two threads at a time.
final class GenericNetlink {
    private let socket: OpaquePointer
    private let family: Int32
    private let version: UInt8
    private let answers = Answers()

    /// What came back for the request under way.
    private final class Answers {
        /// The errno of the kernel's refusal: libnl's own error codes map several errnos to one.
        var refusal: Int32 = 0
        var receive: ((UnsafeMutablePointer<nlmsghdr>) -> Void)?
    }

    /// Opens a socket in the calling thread's network namespace and looks the family up, which loads its module where
    /// there are modules. Throws ENOENT for a family that the kernel does not have.
    init(family name: String, version: UInt8) throws {
        guard let socket = nl_socket_alloc() else { throw KernelError("open generic netlink", code: ENOMEM) }
        var failure = genl_connect(socket)
        // Two system calls less per answer: the buffer holds the largest dump message the kernel makes, so there is no
        // need to look at a message's size first.
        nl_socket_disable_msg_peek(socket)
        nl_socket_set_msg_buf_size(socket, 1 << 16)
        nl_socket_disable_auto_ack(socket)
        if failure == 0 { failure = genl_ctrl_resolve(socket, name) }
        guard failure >= 0 else {
            nl_socket_free(socket)
            let missing = failure == -NLE_OBJ_NOTFOUND
            throw KernelError(
                "open the generic netlink family \(name)", code: missing ? ENOENT : EIO,
                explanation: missing ? "this kernel has no \(name)" : String(cString: nl_geterror(failure)))
        }
        self.socket = socket
        family = failure
        self.version = version
        let context = Unmanaged.passUnretained(answers).toOpaque()
        nl_socket_modify_cb(
            socket, NL_CB_VALID, NL_CB_CUSTOM,
            { message, context in
                guard let message, let context, let header = nlmsg_hdr(message) else { return Int32(NL_OK.rawValue) }
                Unmanaged<Answers>.fromOpaque(context).takeUnretainedValue().receive?(header)
                return Int32(NL_OK.rawValue)
            }, context)
        nl_socket_modify_err_cb(
            socket, NL_CB_CUSTOM,
            { _, error, context in
                guard let error, let context else { return Int32(NL_STOP.rawValue) }
                Unmanaged<Answers>.fromOpaque(context).takeUnretainedValue().refusal = -error.pointee.error
                return Int32(NL_STOP.rawValue)
            }, context)
    }

    deinit { nl_socket_free(socket) }

    /// Asks for a change and waits until the kernel has made it.
    func change(_ command: Int, _ operation: String, _ attributes: (OpaquePointer) -> Void) throws {
        try send(command, NLM_F_ACK, operation, attributes) { _ in }
    }

    /// Asks for one message, or with NLM_F_DUMP for all of them, and hands each of them to `receive`.
    func get(
        _ command: Int, dump: Bool, _ operation: String, _ attributes: (OpaquePointer) -> Void,
        receive: @escaping (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) throws {
        try send(command, dump ? NLM_F_DUMP : 0, operation, attributes, receive)
    }

    private func send(
        _ command: Int, _ flags: Int32, _ operation: String, _ attributes: (OpaquePointer) -> Void,
        _ receive: @escaping (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) throws {
        guard let message = nlmsg_alloc() else { throw KernelError(operation, code: ENOMEM) }
        defer { nlmsg_free(message) }
        genlmsg_put(
            message, UInt32(NL_AUTO_PORT), UInt32(NL_AUTO_SEQ), family, 0, flags, UInt8(command), version)
        attributes(message)
        answers.refusal = 0
        answers.receive = receive
        defer { answers.receive = nil }
        var result = nl_send_auto(socket, message)
        if result >= 0 { result = nl_recvmsgs_default(socket) }
        if answers.refusal > 0 { throw KernelError(operation, code: answers.refusal) }
        guard result >= 0 else {
            throw KernelError(operation, code: EIO, explanation: String(cString: nl_geterror(result)))
        }
    }
}
