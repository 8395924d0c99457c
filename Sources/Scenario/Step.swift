public import Net

/// One entry of the timeline.
public struct Step: Sendable, Equatable {
    public var name: String
    public var action: Action
    /// What happens while the action goes on, in the order of their times. The step ends when all of it has.
    public var meanwhile: [Meanwhile]
    /// What must hold when the step has ended, over the step alone.
    public var expectations: [Expectation]
    public var location: SourceLocation

    public init(
        name: String, action: Action, meanwhile: [Meanwhile] = [], expectations: [Expectation] = [],
        location: SourceLocation
    ) {
        self.name = name
        self.action = action
        self.meanwhile = meanwhile
        self.expectations = expectations
        self.location = location
    }

    /// Its own action, and then what happens meanwhile.
    public var actions: [Action] { [action] + meanwhile.map(\.action) }

    /// Something that happens at a time of its own while a step's action goes on.
    public struct Meanwhile: Sendable, Equatable {
        public var name: String
        /// Nanoseconds from the step's beginning.
        public var after: Int64
        public var action: Action
        public var location: SourceLocation

        public init(name: String, after: Int64, action: Action, location: SourceLocation) {
            self.name = name
            self.after = after
            self.action = action
            self.location = location
        }
    }

    public enum Action: Sendable, Equatable {
        /// Requests one after another, each on a connection of its own.
        case request(Request)
        /// Many requests, which are measured together.
        case load(Load)
        /// Opens a connection, makes one request on it, and keeps it open under a name.
        case open(connection: String, Request)
        /// Another request on an open connection.
        case use(connection: String, bytes: Int, timeout: Int64)
        case close(connection: String)
        /// Moves a host's ports (those on a hypervisor) to another hypervisor; both hypervisors' rules follow.
        case move(host: String, to: String)
        /// Runs a program in a host or hypervisor.
        case run(on: String, arguments: [String], mayFail: Bool)
        case sysctl(on: String, [Sysctl])
        case start(on: String, program: String)
        /// Ends a program with SIGTERM, or SIGKILL two seconds later.
        case stop(on: String, program: String)
        /// Sets a port's interface up or down (`ip link set`); the other end of its cable gets or loses its carrier.
        case link(port: String, isUp: Bool)
        /// What happens to these hosts and hypervisors when they lose their power: their ports go down at once, and their
        /// programs are killed.
        case powerOff([String])
        /// Sends a packet that is written field by field.
        case send(CraftedPacket)
        /// Empties the neighbour tables of these hosts (`ip neigh flush all`, permanent entries stay).
        case flushNeighbours(on: [String])
        /// Lets time pass, in nanoseconds.
        case wait(Int64)

        /// How many requests it makes.
        public var requestCount: Int {
            switch self {
            case .request(let request): request.count
            case .open, .use: 1
            default: 0
            }
        }
    }

    /// What a client does.
    public struct Request: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case http, tcp, udp }

        public var kind: Kind
        /// The client's host.
        public var from: String
        public var to: Endpoint
        public var count: Int
        /// From the beginning of one to the beginning of the next, if the one takes no longer; nanoseconds.
        public var interval: Int64
        /// The client's port; nil for one that the kernel chooses.
        public var sourcePort: UInt16?
        /// Octets of answer to ask for beyond the server's greeting.
        public var bytes: Int
        /// For connecting, and again for the answer, in nanoseconds.
        public var timeout: Int64

        public init(
            kind: Kind, from: String, to: Endpoint, count: Int = 1, interval: Int64 = 0,
            sourcePort: UInt16? = nil, bytes: Int = 0, timeout: Int64 = 2_000_000_000
        ) {
            self.kind = kind
            self.from = from
            self.to = to
            self.count = count
            self.interval = interval
            self.sourcePort = sourcePort
            self.bytes = bytes
            self.timeout = timeout
        }
    }
}
