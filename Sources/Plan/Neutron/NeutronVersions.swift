internal import Synchronization

/// Every version of Neutron from Icehouse to 2024.2, the last with iptables drivers for linuxbridge: the tags of its
/// repository.
enum NeutronVersions {
    struct Series: Sendable {
        /// `newton`.
        var codeName: String
        /// OpenStack's own number of the series, where Neutron's versions do not show it: `2024.2`.
        var number: String?
        /// Oldest first.
        var versions: [String]

        init(_ codeName: String, number: String? = nil, _ versions: String) {
            self.codeName = codeName
            self.number = number
            self.versions = versions.split(separator: " ").map(String.init)
        }
    }

    static let series = [
        Series("icehouse", "2014.1 2014.1.1 2014.1.2 2014.1.3 2014.1.4 2014.1.5"),
        Series("juno", "2014.2 2014.2.1 2014.2.2 2014.2.3 2014.2.4"),
        Series("kilo", "2015.1.0 2015.1.1 2015.1.2 2015.1.3 2015.1.4"),
        Series("liberty", "7.0.0 7.0.1 7.0.2 7.0.3 7.0.4 7.1.0 7.1.1 7.1.2 7.2.0"),
        Series("mitaka", "8.0.0 8.1.0 8.1.1 8.1.2 8.2.0 8.3.0 8.4.0"),
        Series("newton", "9.0.0 9.1.0 9.1.1 9.2.0 9.3.0 9.3.1 9.4.0 9.4.1"),
        Series("ocata", "10.0.0 10.0.1 10.0.2 10.0.3 10.0.4 10.0.5 10.0.6 10.0.7"),
        Series("pike", "11.0.0 11.0.1 11.0.2 11.0.3 11.0.4 11.0.5 11.0.6 11.0.7 11.0.8"),
        Series("queens", "12.0.0 12.0.1 12.0.2 12.0.3 12.0.4 12.0.5 12.0.6 12.1.0 12.1.1"),
        Series("rocky", "13.0.0 13.0.1 13.0.2 13.0.3 13.0.4 13.0.5 13.0.6 13.0.7"),
        Series("stein", "14.0.0 14.0.1 14.0.2 14.0.3 14.0.4 14.1.0 14.2.0 14.3.0 14.3.1 14.4.0 14.4.1 14.4.2"),
        Series("train", "15.0.0 15.0.1 15.0.2 15.1.0 15.2.0 15.3.0 15.3.1 15.3.2 15.3.3 15.3.4"),
        Series("ussuri", "16.0.0 16.1.0 16.2.0 16.3.0 16.3.1 16.3.2 16.4.0 16.4.1 16.4.2"),
        Series("victoria", "17.0.0 17.1.0 17.1.1 17.1.2 17.2.0 17.2.1 17.3.0 17.4.0 17.4.1"),
        Series("wallaby", "18.0.0 18.1.0 18.1.1 18.2.0 18.3.0 18.4.0 18.5.0 18.6.0"),
        Series("xena", "19.0.0 19.1.0 19.2.0 19.3.0 19.4.0 19.5.0 19.6.0 19.7.0"),
        Series("yoga", "20.0.0 20.1.0 20.2.0 20.3.0 20.3.1 20.4.0 20.5.0"),
        Series("zed", "21.0.0 21.1.0 21.1.1 21.1.2 21.2.0 21.2.1"),
        Series("antelope", number: "2023.1", "22.0.0 22.0.1 22.0.2 22.1.0 22.2.0 22.2.1"),
        Series("bobcat", number: "2023.2", "23.0.0 23.1.0 23.2.0 23.3.0 23.4.0 23.5.0"),
        Series("caracal", number: "2024.1", "24.0.0 24.0.1 24.1.0 24.2.0 24.2.1 24.2.2"),
        Series("dalmatian", number: "2024.2", "25.0.0 25.1.0 25.2.0 25.2.1 25.2.2 25.2.3"),
    ]

    /// All versions, oldest first.
    static let all = series.flatMap(\.versions)

    static let expected = "a version from 2014.1 to 25.2.3, or a series (icehouse to dalmatian) for its last version"

    /// The version that a text names, with its series; nil if there never was one. A series' name, in upper or lower case, is
    /// its last version's.
    static func find(_ text: String) -> (version: String, series: Series)? {
        for each in series where each.versions.contains(text) { return (text, each) }
        let name = text.lowercased()
        guard let named = series.first(where: { $0.codeName == name || $0.number == name }),
            let last = named.versions.last
        else { return nil }
        return (last, named)
    }

    /// The version that was probably meant by one that does not exist: the last one before it in its series, otherwise the
    /// series' first. nil for what is no version of a series; a misspelt name is others' to find.
    static func nearest(to text: String) -> String? {
        guard let wanted = number(text), let head = wanted.first else { return nil }
        let sameYear = series.filter { each in
            guard let first = each.versions.first.flatMap(number) else { return false }
            return first[0] == head && (head < 2000 || wanted.count < 2 || first[1] == wanted[1])
        }
        let versions = sameYear.flatMap(\.versions)
        return versions.last { isBefore($0, text) } ?? versions.first
    }

    /// Whether a version is older than another. `2014.1` is as old as `2014.1.0`; the years came before Liberty's 7.
    static func isBefore(_ version: String, _ other: String) -> Bool {
        guard let first = number(version), let second = number(other) else { return false }
        func key(_ number: [Int]) -> [Int] {
            let head = number[0] < 2000 ? number[0] : number[0] - 10_000
            return [head] + (0..<2).map { $0 + 1 < number.count ? number[$0 + 1] : 0 }
        }
        return key(first).lexicographicallyPrecedes(key(second))
    }

    /// The parts of a version's number; nil if it is none.
    private static func number(_ text: String) -> [Int]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        let numbers = parts.compactMap { $0 }
        return numbers.count == parts.count ? numbers : nil
    }
}

extension NeutronRelease {
    /// Every version's number, oldest first.
    public static var versions: [String] { NeutronVersions.all }

    /// The series' names, oldest first.
    public static var codeNames: [String] { NeutronVersions.series.map(\.codeName) }

    /// The version that was probably meant by one that does not exist; nil if its number does not tell.
    public static func nearest(to text: String) -> String? { NeutronVersions.nearest(to: text) }

    /// What names a release, for messages.
    public static var expected: String { NeutronVersions.expected }

    /// Reads a version (`9.4.1`) or, for its last version, a series' name (`newton`, `2024.2`).
    ///
    /// - Throws: `NeutronError.unknownRelease` for a version that never existed.
    public init(version text: String) throws(NeutronError) {
        if let known = Self.known.withLock({ $0[text] }) {
            self = known
            return
        }
        guard let (version, series) = NeutronVersions.find(text) else {
            throw .unknownRelease(text, suggestion: NeutronVersions.nearest(to: text))
        }
        self = .first
        self.version = version
        codeName = series.codeName
        for change in Self.changes where change.applies(to: version) { change.make(&self) }
        let made = self
        Self.known.withLock { $0[text] = made }
    }

    /// Those that were asked for: every hypervisor of every cell of a matrix asks again. There are as many as there are
    /// versions and series.
    private static let known = Mutex<[String: NeutronRelease]>([:])
}
