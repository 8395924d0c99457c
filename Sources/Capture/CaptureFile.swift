internal import Glibc

/// A frame as a capture file holds it.
public struct CapturedFrame: Sendable, Equatable {
    /// The interface's index in `CaptureFile.ports`.
    public var port: Int
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var time: Int64
    /// The frame's length at the port; the capture may hold fewer octets.
    public var wireLength: Int
    /// From the destination MAC on. Shares the file's memory.
    public var octets: ArraySlice<UInt8>
    public var comment: String?

    public init(port: Int, time: Int64, wireLength: Int, octets: ArraySlice<UInt8>, comment: String? = nil) {
        self.port = port
        self.time = time
        self.wireLength = wireLength
        self.octets = octets
        self.comment = comment
    }
}

/// What is in a pcapng file.
public struct CaptureFile: Sendable, Equatable {
    /// An interface block.
    public struct Port: Sendable, Equatable {
        /// if_name; `interface 3` if the file does not name it.
        public var name: String
        public var description: String?
        /// 1 is Ethernet: other frames cannot be dissected here.
        public var linkType: UInt16
        /// Octets kept of each frame; 0 for no limit.
        public var snapshotLength: Int
        public var filter: String?

        /// The link type of Ethernet.
        public static let ethernet = PcapNG.ethernet

        public init(
            name: String, description: String? = nil, linkType: UInt16 = 1, snapshotLength: Int, filter: String? = nil
        ) {
            self.name = name
            self.description = description
            self.linkType = linkType
            self.snapshotLength = snapshotLength
            self.filter = filter
        }
    }

    /// Why a file could not be read to its end.
    public struct Damage: Error, Sendable, Equatable, CustomStringConvertible {
        /// Octets into the file: where the block begins that is not as it should be.
        public var offset: Int
        public var reason: String

        public var description: String { "capture file, at octet \(offset): \(reason)" }
    }

    /// In the order of the file; the numbers in frames count from 0 through all sections.
    public var ports: [Port] = []
    /// In the order of the file.
    public var frames: [CapturedFrame] = []
    /// What each port counted; nil for one that the file says nothing about. As many as ports.
    public var statistics: [PortStatistics?] = []
    /// How many blocks say so, for each port: those that drbench writes have one.
    public var statisticsBlocks: [Int] = []
    /// The first thing that is wrong with the file; everything else here is what could be read nevertheless.
    public var damage: Damage?

    public init() {}

    /// Reads a file. Throws `CaptureError.file`; a file that is no pcapng, or damaged, is not an error but `damage`.
    public init(path: String) throws(CaptureError) {
        self = PcapNGReader.read(try Self.contents(of: path))
    }

    /// The index of the port with this name.
    public func port(named name: String) -> Int? { ports.firstIndex { $0.name == name } }

    /// The same file as pcapng, written as drbench writes it: for frames that were given comments. Only Ethernet ports.
    ///
    /// - Parameter names: IPv4 and IPv6 addresses, as octets, and what Wireshark is to call them.
    public func pcapng(names: [(address: [UInt8], name: String)] = []) -> [UInt8] {
        var writer = PcapNGWriter()
        for port in ports {
            writer.addInterface(
                name: port.name, description: port.description, snapshotLength: port.snapshotLength,
                filter: port.filter)
        }
        if !names.isEmpty { writer.addNames(names) }
        for frame in frames {
            writer.addFrame(
                port: frame.port, time: frame.time, wireLength: frame.wireLength, octets: frame.octets,
                comment: frame.comment)
        }
        for (port, counts) in statistics.enumerated() {
            if let counts { writer.addStatistics(port: port, counts) }
        }
        return writer.octets
    }

    /// A file as it is. Throws `CaptureError.file`.
    public static func contents(of path: String) throws(CaptureError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(operation: "open \(path)", code: errno) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var status = stat()
        if fstat(descriptor, &status) == 0 { octets.reserveCapacity(Int(status.st_size)) }
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count > 0 {
                octets.append(contentsOf: chunk[..<count])
            } else if count == 0 {
                return octets
            } else if errno != EINTR {
                throw .file(operation: "read \(path)", code: errno)
            }
        }
    }
}
