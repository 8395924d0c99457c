/// A request that the kernel refused.
///
/// Printed as one sentence: what was being done, where, the errno with its name, and the kernel's extended ack if it gave
/// one: `hv1: add address 203.0.113.3/27 to eth0: EEXIST (File exists)`.
public struct KernelError: Error, Equatable, CustomStringConvertible {
    /// What was being done, as one would say it: `add address 203.0.113.3/27 to eth0`.
    public var operation: String
    /// The errno, positive; 0 where a program refused it and there is none.
    public var code: Int32
    /// NLMSGERR_ATTR_MSG, or what a program printed to its error output.
    public var explanation: String?
    /// The namespace in which it was tried, if known.
    public var namespace: String?

    public init(_ operation: String, code: Int32, explanation: String? = nil, namespace: String? = nil) {
        self.operation = operation
        self.code = code
        self.explanation = explanation
        self.namespace = namespace
    }

    public var description: String {
        let place = namespace.map { "\($0): " } ?? ""
        let why = explanation.map { ": \($0)" } ?? ""
        let errno = code == 0 ? "" : ": \(Errno.name(code)) (\(Errno.message(code)))"
        return "\(place)\(operation)\(errno)\(why)"
    }
}
