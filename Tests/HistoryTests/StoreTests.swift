import GRDB
import Glibc
import Measurement
import Testing

@testable import History

@Suite("The history's file")
struct StoreTests {
    let workplace: Workplace

    init() throws { workplace = try Workplace() }

    @Test("gives back what it got, to the last bit")
    func roundTrip() throws {
        let history = try History(path: workplace.folder + "/made/on/demand.sqlite")
        let other = MeasuredRun.sample([1, 2], context: .sample(seed: nil, revision: nil))
        #expect(try history.append(.full) == 1)
        #expect(try history.append(other) == 2)
        #expect(try history.run(1) == .full)
        #expect(try history.run(2) == other)
        #expect(try history.run(3) == nil)
    }

    @Test("keeps the same run once")
    func sameRun() throws {
        let history = try History(path: workplace.file)
        #expect(try history.append(.full) == 1)
        #expect(try history.append(.full) == 1)
        var other = MeasuredRun.full
        other.measurements[0].metrics[0].value += 1
        #expect(try history.append(other) == 2)
    }

    @Test("lists runs in the order in which they began, by scenario, revision and clock")
    func listing() throws {
        let history = try History(path: workplace.file)
        try history.append(.sample([1], started: 30, scenario: "modes/nat"))
        try history.append(.sample([1], started: 10, context: .sample(clock: .virtual, revision: "aaaa11")))
        try history.append(.sample([1], started: 20, context: .sample(revision: "aaaa22"), scenario: "modes-other"))
        #expect(try history.runs().map(\.number) == [2, 3, 1])
        #expect(try history.runs(matching: RunFilter(scenario: "modes")).map(\.number) == [2, 1])
        #expect(try history.runs(matching: RunFilter(scenario: "modes/nat")).map(\.number) == [1])
        #expect(try history.runs(matching: RunFilter(scenario: "mode")).isEmpty)
        #expect(try history.runs(matching: RunFilter(revision: "aaaa")).map(\.number) == [2, 3])
        #expect(try history.runs(matching: RunFilter(clock: .virtual)).map(\.number) == [2])
        #expect(try history.latest()?.number == 1)
        #expect(try history.latest(back: 2)?.number == 2)
        #expect(try history.latest(back: 3) == nil)
        #expect(try history.latest()?.scenarios == ["modes/nat"])
    }

    @Test("forgets a run with all that was only its own, and does not use its number again")
    func removing() throws {
        let history = try History(path: workplace.file)
        let kept = MeasuredRun.sample([1, 2])
        try history.append(kept)
        try history.append(.full)
        #expect(try history.remove([2, 7]) == [2])
        #expect(try history.run(2) == nil)
        #expect(try history.run(1) == kept)
        let left = try history.read { database in
            try ["measurement", "series", "machine", "quantity", "metric", "port", "program"].map { table in
                try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? -1
            }
        }
        #expect(left == [2, 1, 1, 1, 2, 0, 2])
        #expect(try history.append(.full) == 3)
    }

    @Test(
        "refuses what cannot be read again or would mislead",
        arguments: [
            (MeasuredRun.sample([]), "no measurements"),
            (MeasuredRun.sample([1, .nan]), "repetition 2: 'requests_per_second' is nan"),
            (MeasuredRun.sample([.infinity]), "is inf"),
            (MeasuredRun.sample([1]).with(version: 99), "version 99"),
            (MeasuredRun.sample([1]).with(metrics: [Metric("a", 1, unit: ""), Metric("a", 2, unit: "")]), "twice"),
        ])
    func invalid(run: MeasuredRun, reason: String) throws {
        let history = try History(path: workplace.file)
        let error = #expect(throws: HistoryError.self) { try history.append(run) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "no error")")
        #expect(try history.runs().isEmpty)
    }

    @Test("a file of a later drbench is not touched")
    func tooNew() throws {
        let history = try History(path: workplace.file)
        try history.append(.full)
        try history.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999: of tomorrow')") }
        #expect(throws: HistoryError.tooNew(path: workplace.file)) { try History(path: workplace.file) }
    }

    @Test("what is no database, or another program's, is named so")
    func notAHistory() throws {
        try workplace.write(String(repeating: "measurements ", count: 1000), to: "text")
        #expect(throws: HistoryError.damaged(path: workplace.folder + "/text", reason: "file is not a database")) {
            try History(path: workplace.folder + "/text")
        }
        let other = workplace.folder + "/other"
        try DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE bookmarks (id INTEGER)") }
        #expect(throws: HistoryError.damaged(path: other, reason: "it is the database of another program")) {
            try History(path: other)
        }
        #expect(throws: HistoryError.self) { try History(path: "/proc/drbench/history.sqlite") }
        #expect(throws: HistoryError.self) { try History(path: workplace.folder) }
    }

    @Test("a damaged page is an error, not a wrong number")
    func damaged() throws {
        do {
            let history = try History(path: workplace.file)
            for started in 0..<20 { try history.append(.sample([1, 2, 3, 4], started: Int64(started))) }
            try history.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        }
        let file = try #require(fopen(workplace.file, "r+"))
        fseek(file, 4096, SEEK_SET)
        let rubbish = [UInt8](repeating: 0xA5, count: 8 * 4096)
        fwrite(rubbish, 1, rubbish.count, file)
        fclose(file)
        let error = #expect(throws: HistoryError.self) {
            let history = try History(path: workplace.file)
            for entry in try history.runs() { _ = try history.run(entry.number) }
        }
        guard case .damaged = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("is found by DRBENCH_HISTORY, XDG_DATA_HOME or the home folder")
    func defaultPath() {
        #expect(
            History.defaultPath(environment: ["HOME": "/home/me"]) == "/home/me/.local/share/drbench/history.sqlite")
        #expect(
            History.defaultPath(environment: ["HOME": "/home/me", "XDG_DATA_HOME": "/data"])
                == "/data/drbench/history.sqlite")
        #expect(
            History.defaultPath(environment: ["HOME": "/home/me", "XDG_DATA_HOME": "relative"])
                == "/home/me/.local/share/drbench/history.sqlite")
        #expect(History.defaultPath(environment: ["DRBENCH_HISTORY": "x", "XDG_DATA_HOME": "/data"]) == "x")
    }
}

@Suite("Latencies in few octets")
struct LatencyEncodingTests {
    @Test("a bucket takes three octets where neighbours are near and counts small")
    func size() {
        let buckets = (1...1000).map { LatencyDistribution.Bucket(nanoseconds: $0 * 1024, count: $0 % 100) }
        let distribution = LatencyDistribution(significantDigits: 3, buckets: buckets)
        #expect(distribution.encoded.count == 2 + 3 * 1000)
        #expect(LatencyDistribution(encoded: distribution.encoded) == distribution)
    }

    @Test(
        "what it did not make is refused",
        arguments: [[], [2, 3], [1], [1, 3, 5], [1, 3, 0x80], [1, 99]] as [[UInt8]])
    func refused(octets: [UInt8]) {
        #expect(LatencyDistribution(encoded: octets) == nil)
    }

    @Test("ten octets hold 64 bits and no more")
    func overlong() {
        let nine = [UInt8](repeating: 0xFF, count: 9)
        #expect(LatencyDistribution(encoded: [1, 3] + nine + [1, 1])?.buckets.first?.nanoseconds == .max)
        #expect(LatencyDistribution(encoded: [1, 3] + nine + [2, 1]) == nil)
    }

    @Test("merging adds what fell into the same bucket")
    func merging() {
        let one = LatencyDistribution(
            significantDigits: 3,
            buckets: [.init(nanoseconds: 10, count: 1), .init(nanoseconds: 20, count: 2)])
        let other = LatencyDistribution(
            significantDigits: 2,
            buckets: [.init(nanoseconds: 5, count: 4), .init(nanoseconds: 20, count: 3)])
        let merged = LatencyDistribution.merged([one, other])
        #expect(merged?.significantDigits == 2)
        #expect(merged?.buckets.map(\.nanoseconds) == [5, 10, 20])
        #expect(merged?.buckets.map(\.count) == [4, 1, 5])
        #expect(LatencyDistribution.merged([]) == nil)
    }
}

extension MeasuredRun {
    fileprivate func with(version: Int) -> MeasuredRun {
        var run = self
        run.version = version
        return run
    }

    fileprivate func with(metrics: [Metric]) -> MeasuredRun {
        var run = self
        run.measurements[0].metrics = metrics
        return run
    }
}
