internal import FoundationEssentials
internal import GRDB
public import Measurement

/// A kept run without what it measured.
public struct HistoryEntry: Sendable, Equatable {
    public var number: Int
    /// Whole seconds since 1970-01-01T00:00:00Z.
    public var started: Int64
    public var context: MeasurementContext
    /// Full names, in alphabetical order.
    public var scenarios: [String]
    /// How many measurements it has, all repetitions counted.
    public var measurements: Int
}

/// Which runs; what is nil does not matter.
public struct RunFilter: Sendable {
    /// The full name of a scenario, or the beginning of some up to a `/`.
    public var scenario: String?
    /// The first digits of a git revision.
    public var revision: String?
    public var clock: MeasurementClock?

    public init(scenario: String? = nil, revision: String? = nil, clock: MeasurementClock? = nil) {
        self.scenario = scenario
        self.revision = revision
        self.clock = clock
    }
}

extension History {
    /// The matching runs in the order in which they began.
    public func runs(matching filter: RunFilter = RunFilter()) throws(HistoryError) -> [HistoryEntry] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT \(Self.runColumns), (SELECT count(*) FROM measurement WHERE run = number) AS measurements
                    FROM run JOIN machine ON machine.id = run.machine
                    WHERE (:clock IS NULL OR clock = :clock)
                      AND (:revision IS NULL OR substr(revision, 1, length(:revision)) = :revision)
                      AND (:scenario IS NULL OR EXISTS (
                        SELECT * FROM measurement JOIN series ON series.id = series
                        WHERE run = number
                          AND (scenario = :scenario OR substr(scenario, 1, length(:scenario) + 1) = :scenario || '/')))
                    ORDER BY started, number
                    """,
                arguments: [
                    "clock": filter.clock?.rawValue, "revision": filter.revision, "scenario": filter.scenario,
                ]
            ).map { row in
                let number: Int = row["number"]
                return HistoryEntry(
                    number: number, started: row["started"], context: try Self.context(of: row, in: database),
                    scenarios: try String.fetchAll(
                        database,
                        sql: """
                            SELECT DISTINCT scenario FROM measurement JOIN series ON series.id = series
                            WHERE run = ? ORDER BY scenario
                            """, arguments: [number]),
                    measurements: row["measurements"])
            }
        }
    }

    /// The latest of the matching runs; `back` of them are passed over.
    public func latest(matching filter: RunFilter = RunFilter(), back: Int = 0) throws(HistoryError) -> HistoryEntry? {
        let all = try runs(matching: filter)
        return all.indices.contains(all.count - 1 - back) ? all[all.count - 1 - back] : nil
    }

    /// A run as it was measured; nil if there is none with this number.
    public func run(_ number: Int) throws(HistoryError) -> MeasuredRun? {
        try read { database in try Self.load(number, from: database) }
    }

    private static let runColumns = """
        run.number, run.version, run.started, run.clock, run.engine, run.kernel, run.kernelBuild, run.seed, run.drbench, \
        run.revision, machine.processor, machine.processors, machine.memory, machine.hostName, \
        machine.kernel AS hostKernel
        """

    static func load(_ number: Int, from database: Database) throws -> MeasuredRun? {
        guard
            let row = try Row.fetchOne(
                database,
                sql: "SELECT \(runColumns) FROM run JOIN machine ON machine.id = run.machine WHERE number = ?",
                arguments: [number])
        else { return nil }
        var run = MeasuredRun(started: row["started"], context: try context(of: row, in: database))
        run.version = row["version"]
        let metrics = try metrics(of: number, in: database)
        let ports = try ports(of: number, in: database)
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT measurement.id, scenario, load, parameters, repetition, latency
                FROM measurement JOIN series ON series.id = series WHERE run = ? ORDER BY position
                """, arguments: [number])
        while let row = try rows.next() {
            let id: Int64 = row["id"]
            let blob: Blob? = row["latency"]
            let latency = blob.map { LatencyDistribution(encoded: $0.octets) }
            if case .some(.none) = latency { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a latency") }
            run.measurements.append(
                Measurement(
                    scenario: row["scenario"], load: row["load"], parameters: try ParameterText.read(row["parameters"]),
                    repetition: row["repetition"], metrics: metrics[id] ?? [], latency: latency ?? nil,
                    ports: ports[id] ?? [:]))
        }
        return run
    }

    private static func context(of row: Row, in database: Database) throws -> MeasurementContext {
        let number: Int = row["number"]
        let programs = try Row.fetchAll(
            database, sql: "SELECT name, version FROM program WHERE run = ?", arguments: [number])
        guard let clock = MeasurementClock(rawValue: row["clock"]) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the clock of run \(number)")
        }
        let seed: Int64? = row["seed"]
        return MeasurementContext(
            clock: clock, engine: row["engine"], kernel: row["kernel"], kernelBuild: row["kernelBuild"],
            seed: seed.map { UInt64(bitPattern: $0) },
            machine: MeasurementContext.Machine(
                processor: row["processor"], processors: row["processors"], memory: row["memory"],
                hostName: row["hostName"], kernel: row["hostKernel"]),
            drbench: row["drbench"], revision: row["revision"],
            programs: Dictionary(programs.map { ($0["name"], $0["version"]) }) { first, _ in first })
    }

    private static func metrics(of run: Int, in database: Database) throws -> [Int64: [Metric]] {
        var metrics: [Int64: [Metric]] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT metric.measurement, name, unit, better, value
                FROM measurement JOIN metric ON metric.measurement = measurement.id
                  JOIN quantity ON quantity.id = metric.quantity
                WHERE run = ? ORDER BY metric.measurement, metric.position
                """, arguments: [run])
        while let row = try rows.next() {
            metrics[row["measurement"], default: []].append(
                Metric(row["name"], row["value"], unit: row["unit"], better: Metric.Better(rawValue: row["better"])))
        }
        return metrics
    }

    private static func ports(of run: Int, in database: Database) throws -> [Int64: [String: PortTraffic]] {
        var ports: [Int64: [String: PortTraffic]] = [:]
        let rows = try Row.fetchCursor(
            database, sql: "SELECT port.* FROM measurement JOIN port ON measurement = measurement.id WHERE run = ?",
            arguments: [run])
        while let row = try rows.next() {
            ports[row["measurement"], default: [:]][row["name"]] = PortTraffic(
                receivedPackets: row["receivedPackets"], receivedBytes: row["receivedBytes"],
                sentPackets: row["sentPackets"], sentBytes: row["sentBytes"])
        }
        return ports
    }
}

/// A series' parameters as one text, the same for the same parameters: JSON with its keys in order.
enum ParameterText {
    static func write(_ parameters: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(parameters), as: UTF8.self)
    }

    static func read(_ text: String) throws -> [String: String] {
        do {
            return try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the parameters of a series")
        }
    }
}

/// Octets in a column.
struct Blob: DatabaseValueConvertible {
    var octets: [UInt8]

    init(_ octets: [UInt8]) { self.octets = octets }

    var databaseValue: DatabaseValue { Data(octets).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Blob? {
        Data.fromDatabaseValue(value).map { Blob([UInt8]($0)) }
    }
}
