internal import GRDB
public import Measurement

extension History {
    /// Keeps a run.
    /// - Returns: its number; that of the run that is already there if it is the same one.
    /// - Throws: `HistoryError.invalid` for a run of a later version, without measurements, or with a value that is no finite
    ///   number.
    @discardableResult
    public func append(_ run: MeasuredRun) throws(HistoryError) -> Int {
        try Self.check(run)
        return try write { database in
            let sameStart = try Int.fetchAll(
                database, sql: "SELECT number FROM run WHERE started = ?", arguments: [run.started])
            for number in sameStart where try Self.load(number, from: database) == run { return number }
            return try Self.insert(run, into: database)
        }
    }

    /// Forgets runs. What only they had goes with them.
    /// - Returns: the numbers of those that were there.
    @discardableResult
    public func remove(_ numbers: [Int]) throws(HistoryError) -> [Int] {
        try write { database in
            let removed = try numbers.filter { number in
                try database.execute(sql: "DELETE FROM run WHERE number = ?", arguments: [number])
                return database.changesCount > 0
            }
            try database.execute(
                sql: """
                    DELETE FROM machine WHERE id NOT IN (SELECT machine FROM run);
                    DELETE FROM series WHERE id NOT IN (SELECT series FROM measurement);
                    DELETE FROM quantity WHERE id NOT IN (SELECT quantity FROM metric);
                    """)
            return removed
        }
    }

    private static func check(_ run: MeasuredRun) throws(HistoryError) {
        guard run.version <= MeasuredRun.currentVersion else {
            throw .invalid(reason: "its format is version \(run.version), drbench reads \(MeasuredRun.currentVersion)")
        }
        guard !run.measurements.isEmpty else { throw .invalid(reason: "it has no measurements") }
        for measurement in run.measurements {
            let place = "\(measurement.scenario), \(measurement.load), repetition \(measurement.repetition)"
            var seen: Set<String> = []
            for metric in measurement.metrics {
                guard metric.value.isFinite else {
                    throw .invalid(reason: "\(place): '\(metric.name)' is \(metric.value)")
                }
                guard seen.insert(metric.name).inserted else {
                    throw .invalid(reason: "\(place): '\(metric.name)' is there twice")
                }
            }
            let buckets = measurement.latency?.buckets ?? []
            guard zip(buckets, buckets.dropFirst()).allSatisfy({ $0.nanoseconds < $1.nanoseconds }) else {
                throw .invalid(reason: "\(place): its latencies are not in ascending order")
            }
        }
    }

    private static func insert(_ run: MeasuredRun, into database: Database) throws -> Int {
        let context = run.context
        let machine = context.machine
        let machineID = try number(
            of: "machine", ["processor", "processors", "memory", "hostName", "kernel"],
            [machine.processor, machine.processors, machine.memory, machine.hostName, machine.kernel], in: database)
        try database.execute(
            sql: """
                INSERT INTO run (version, started, clock, engine, kernel, kernelBuild, seed, machine, drbench, revision)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                run.version, run.started, context.clock.rawValue, context.engine, context.kernel, context.kernelBuild,
                // SQLite's integers have a sign.
                context.seed.map { Int64(bitPattern: $0) }, machineID, context.drbench, context.revision,
            ])
        let runNumber = Int(database.lastInsertedRowID)
        for (name, version) in context.programs {
            try database.execute(
                sql: "INSERT INTO program VALUES (?, ?, ?)", arguments: [runNumber, name, version])
        }
        for (position, measurement) in run.measurements.enumerated() {
            try insert(measurement, position, of: runNumber, into: database)
        }
        return runNumber
    }

    private static func insert(
        _ measurement: Measurement, _ position: Int, of run: Int, into database: Database
    ) throws {
        let series = try number(
            of: "series", ["scenario", "load", "parameters"],
            [measurement.scenario, measurement.load, try ParameterText.write(measurement.parameters)], in: database)
        try database.cachedStatement(
            sql: "INSERT INTO measurement (run, position, series, repetition, latency) VALUES (?, ?, ?, ?, ?)"
        ).execute(
            arguments: [run, position, series, measurement.repetition, measurement.latency.map { Blob($0.encoded) }])
        let id = database.lastInsertedRowID
        let insertMetric = try database.cachedStatement(sql: "INSERT INTO metric VALUES (?, ?, ?, ?)")
        for (position, metric) in measurement.metrics.enumerated() {
            let quantity = try number(
                of: "quantity", ["name", "unit", "better"],
                [metric.name, metric.unit, metric.better?.rawValue ?? ""], in: database)
            try insertMetric.execute(arguments: [id, position, quantity, metric.value])
        }
        let insertPort = try database.cachedStatement(sql: "INSERT INTO port VALUES (?, ?, ?, ?, ?, ?)")
        for (name, traffic) in measurement.ports {
            try insertPort.execute(
                arguments: [
                    id, name, traffic.receivedPackets, traffic.receivedBytes, traffic.sentPackets, traffic.sentBytes,
                ])
        }
    }

    /// The number of the row with these values, which is made if there is none.
    private static func number(
        of table: String, _ columns: [String], _ values: [(any DatabaseValueConvertible)?], in database: Database
    ) throws -> Int64 {
        let condition = columns.map { "\($0) = ?" }.joined(separator: " AND ")
        let arguments = StatementArguments(values)
        if let found = try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT id FROM \(table) WHERE \(condition)"), arguments: arguments)
        {
            return found
        }
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        try database.cachedStatement(
            sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))"
        ).execute(arguments: arguments)
        return database.lastInsertedRowID
    }
}
