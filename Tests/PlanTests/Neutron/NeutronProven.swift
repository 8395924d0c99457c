@testable import Plan

extension NeutronRelease {
    /// The releases of the reference dumps.
    static let proven = ["2014.1.5", "2015.1.1", "9.4.1", "25.2.3"].compactMap { try? NeutronRelease(version: $0) }
}
