internal import GRDB

/// The file's tables, and how older files come to have them. A migration that has been released is never changed.
enum HistorySchema {
    /// In the file's header (`PRAGMA application_id`), so that a database of something else is not taken for a history:
    /// `drbH`.
    static let applicationID = 0x6472_6248

    static func bringUpToDate(_ database: DatabaseQueue, path: String) throws {
        let migrator = migrator
        let isCurrent = try database.read { database in
            let application = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
            let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            guard application == applicationID || (application == 0 && tables == 0) else {
                throw HistoryError.damaged(path: path, reason: "it is the database of another program")
            }
            guard try !migrator.hasBeenSuperseded(database) else { throw HistoryError.tooNew(path: path) }
            return try migrator.hasCompletedMigrations(database)
        }
        guard !isCurrent else { return }
        try database.writeWithoutTransaction { database in
            // Readers do not wait for writers, nor writers for readers. Kept in the file.
            try database.execute(sql: "PRAGMA journal_mode = WAL")
        }
        try migrator.migrate(database)
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: runs") { database in
            try database.execute(sql: "PRAGMA application_id = \(applicationID)")
            try database.execute(sql: firstTables)
        }
        return migrator
    }

    /// - `machine`, `series` and `quantity` are shared by all runs that have them.
    /// - Numbers of runs are not used again, so that they can be written down.
    /// - `position` keeps the order of the original.
    /// - `latency` is `LatencyDistribution.encoded`.
    private static let firstTables = """
        CREATE TABLE machine (
          id INTEGER PRIMARY KEY, processor TEXT NOT NULL, processors INTEGER NOT NULL, memory INTEGER NOT NULL,
          hostName TEXT NOT NULL, kernel TEXT NOT NULL,
          UNIQUE (processor, processors, memory, hostName, kernel)
        ) STRICT;
        CREATE TABLE run (
          number INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, started INTEGER NOT NULL,
          clock TEXT NOT NULL, engine TEXT NOT NULL, kernel TEXT NOT NULL, kernelBuild TEXT, seed INTEGER,
          machine INTEGER NOT NULL REFERENCES machine, drbench TEXT NOT NULL, revision TEXT
        ) STRICT;
        CREATE INDEX runByStart ON run (started);
        CREATE INDEX runByRevision ON run (revision);
        CREATE TABLE program (
          run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name TEXT NOT NULL, version TEXT NOT NULL,
          PRIMARY KEY (run, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE series (
          id INTEGER PRIMARY KEY, scenario TEXT NOT NULL, load TEXT NOT NULL, parameters TEXT NOT NULL,
          UNIQUE (scenario, load, parameters)
        ) STRICT;
        CREATE TABLE measurement (
          id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, position INTEGER NOT NULL,
          series INTEGER NOT NULL REFERENCES series, repetition INTEGER NOT NULL, latency BLOB,
          UNIQUE (run, position)
        ) STRICT;
        CREATE INDEX measurementBySeries ON measurement (series, run);
        CREATE TABLE quantity (
          id INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, better TEXT NOT NULL,
          UNIQUE (name, unit, better)
        ) STRICT;
        CREATE TABLE metric (
          measurement INTEGER NOT NULL REFERENCES measurement ON DELETE CASCADE, position INTEGER NOT NULL,
          quantity INTEGER NOT NULL REFERENCES quantity, value REAL NOT NULL,
          PRIMARY KEY (measurement, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE port (
          measurement INTEGER NOT NULL REFERENCES measurement ON DELETE CASCADE, name TEXT NOT NULL,
          receivedPackets INTEGER NOT NULL, receivedBytes INTEGER NOT NULL, sentPackets INTEGER NOT NULL,
          sentBytes INTEGER NOT NULL,
          PRIMARY KEY (measurement, name)
        ) STRICT, WITHOUT ROWID;
        """
}
