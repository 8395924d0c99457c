internal import CLinux
internal import Glibc

/// Names and texts of errno values.
public enum Errno {
    /// `EEXIST`; `errno 200` for a number without a name.
    public static func name(_ code: Int32) -> String {
        strerrorname_np(code).map { String(cString: $0) } ?? "errno \(code)"
    }

    /// `File exists`.
    public static func message(_ code: Int32) -> String {
        strerrordesc_np(code).map { String(cString: $0) } ?? "unknown error \(code)"
    }
}
