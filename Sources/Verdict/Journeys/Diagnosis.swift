public import Evidence
internal import Measurement
internal import Net
public import Scenario

/// Why a journey or a flow failed, in terms of the mechanism, and what is known to help.
public struct Diagnosis: Codable, Sendable, Equatable {
    /// `cross-hypervisor INVALID`.
    public var name: String
    /// One sentence.
    public var because: String
    public var remedies: [Remedy]

    /// With what else went wrong behind it.
    fileprivate func followed(by other: Diagnosis) -> Diagnosis {
        guard other.name != name else { return self }
        return Diagnosis(name: name, because: "\(because) \(other.because)", remedies: remedies + other.remedies)
    }

    /// Something that helps, and the shipped scenario that shows it.
    public struct Remedy: Codable, Sendable, Equatable {
        public var text: String
        public var scenario: String

        public init(_ text: String, _ scenario: String) {
            self.text = text
            self.scenario = scenario
        }
    }
}

/// A failure with all that there is to explain it by.
struct Case {
    let scenario: Scenario
    let evidence: Evidence
    let journeys: Journeys
    /// The journey that failed; of a flow none of whose journeys failed, its last one.
    let journey: Journey
    let flow: Flow?
    let facts: Facts
    /// When the request was made that failed, where the flow is a connection with several; else all of the run.
    var span: ClosedRange<Nanoseconds> = 0...(.max)

    var place: String { journey.blame?.place ?? journey.hops.last?.namespace ?? "" }
    var rule: RuleCounter? { journey.blame?.rule }

    /// Why conntrack called the packet INVALID where it ended, in its own words, as a clause; empty if it did not say.
    var conntracksWord: String {
        let said = journey.hops.last { $0.namespace == place }?.invalid
        return said.map { " (conntrack: '\($0)')" } ?? ""
    }

    /// The run's snapshots before and behind the moment when the journey began.
    var snapshots: [Snapshot] {
        let started = journey.started
        let steps = evidence.steps
        let index = steps.firstIndex { started <= $0.ended } ?? steps.count
        return [
            index == 0 ? evidence.initial : steps[index - 1].after,
            index < steps.count ? steps[index].after : evidence.final,
        ]
    }

    /// By how much a counter of the place grew between those.
    func growth(of counter: String) -> Int {
        let counts = snapshots.map { $0.counters[place]?[counter] ?? 0 }
        return counts[1].subtractingSaturated(counts[0])
    }

    /// What a sysctl of the place was set to then; nil if nobody set it.
    func sysctl(_ key: String) -> String? { facts.changes.sysctl(key, of: place, at: journey.started) }

    var isHypervisor: Bool { scenario.hypervisors.contains { $0.name == place } }

    func host(_ name: String) -> Host? { scenario.hosts.first { $0.name == name } }

    /// The host that sent the packet last.
    var sender: String? {
        journey.hops.last { hop in hop.direction == .outOf && host(hop.namespace) != nil }?.namespace
    }

    /// The journeys of the flow, each way.
    var forward: [Journey] { flow.map { $0.forward.map { journeys.journeys[$0] } } ?? [] }
    var replies: [Journey] { flow.map { $0.reply.map { journeys.journeys[$0] } } ?? [] }
    /// Those of the request that failed.
    var latestForward: [Journey] { forward.filter { span.contains($0.started) } }
    var latestReplies: [Journey] { replies.filter { span.contains($0.started) } }

    /// The service that the flow's first packet was for.
    var service: Service? {
        guard let server = flow?.server ?? journey.destination else { return nil }
        return scenario.services.first { $0.address == server.address && ($0.port == server.port || $0.port == 0) }
    }

    func passes(_ journey: Journey, _ namespace: String) -> Bool {
        journey.hops.contains { $0.namespace == namespace }
    }
}

/// What is asked for every failure and takes long to find.
struct Facts {
    let changes: Changes
    /// The addresses of all real servers that any director had at any time.
    let realServers: Set<IPAddress>
    /// The ARP questions that nobody answered.
    let unanswered: [Journey]

    init(_ scenario: Scenario, _ evidence: Evidence, _ journeys: Journeys) {
        changes = Changes(scenario, evidence)
        let tables = ([evidence.initial] + evidence.steps.map(\.after) + [evidence.final]).flatMap(\.ipvs.values)
        realServers = Set(
            scenario.services.flatMap(\.realServers).map(\.address)
                + tables.flatMap(\.services).flatMap(\.destinations).map(\.address))
        let answered = Set(journeys.journeys.compactMap(\.answers))
        unanswered = journeys.journeys.filter {
            $0.protocol == "arp" && $0.packet.has("who-has") && !answered.contains($0.number)
        }
    }
}

extension Hop {
    /// `hv1` of `hv1:uplink`.
    public var namespace: String { port.utf8.firstIndex(of: 0x3A).map { String(port[..<$0]) } ?? port }
}

/// A mechanism that is known to make packets fail.
protocol Mechanism: Sendable {
    /// nil if the evidence does not show it.
    func diagnose(_ failure: Case) -> Diagnosis?
}

/// Explains failures by the mechanisms that the catalogue knows.
public struct Diagnostician {
    private let scenario: Scenario
    private let evidence: Evidence
    private let journeys: Journeys
    private let facts: Facts

    /// The first that fits explains; the particular stand before the general.
    private static let mechanisms: [any Mechanism] = [
        CrossHypervisorInvalid(), ZonePerPort(), UnknownQuotation(), GuestInvalid(), TunnelledSYN(), ResetTwice(),
        NoLoosePickup(), AnyInvalid(), MissingAddressPair(), ForeignMAC(), UntrackedNotNew(), StatelessNeighbour(),
        AdvertisementNotFromRouter(), SecurityGroupMissing(), DHCPServerSpoof(), RouterSpoof(), ConntrackTableFull(),
        NeighbourTableFull(),
        DirectorWithoutSecondAddress(), ColdNeighbour(), ReversePathFilter(), MartianSource(), MTUBlackHole(),
        RedirectWithoutConntrack(), RealServerWithoutVIP(), NoTunnelDevice(), AnswersPastDirector(),
        StaleNeighbour(), ConnectionForgotten(), AnotherServersConnection(), TwoClientsOneTuple(), DirectorsLoop(),
        FragmentMissing(), DropPacketDefence(), RealServerRemoved(),
        NoServerLeft(), NoRouteForAnswer(), PortNotListening(), CardWithoutARP(), MachineMoved(), MachineOff(),
        NobodyThere(), MachineGone(), LossyCable(), HostRule(), VIPMovedAway(), NotForwarding(),
    ]
    /// Those that lead a flow's requests astray: whatever becomes of its packets follows from them.
    private static let leadingAstray: [any Mechanism] = [RealServerAnsweredARP(), StrangerClaimedVIP()]

    public init(scenario: Scenario, evidence: Evidence, journeys: Journeys) {
        self.scenario = scenario
        self.evidence = evidence
        self.journeys = journeys
        facts = Facts(scenario, evidence, journeys)
    }

    /// Why a journey ended as it did; nil if it ended well, or nothing known explains it.
    public func diagnosis(of journey: Journey) -> Diagnosis? {
        guard !journey.end.isGood else { return nil }
        return explain(journey)
    }

    /// Why a copy of a journey's frame was lost; nil also for one that its machine has no use for.
    public func diagnosis(of copy: Journey.LostCopy, of journey: Journey) -> Diagnosis? {
        let failure = failure(journey.ended(as: copy), in: nil)
        return failure.isMissed(copy, of: journey) ? explain(failure) : nil
    }

    /// Why a flow failed: what led its requests astray, the reason of the first of its packets that died, or what its last
    /// one shows.
    ///
    /// - Parameter span: when the request was made that failed, where the flow is a connection with several.
    public func diagnosis(of flow: Flow, during span: ClosedRange<Nanoseconds>? = nil) -> Diagnosis? {
        let all = journeys.journeys(of: flow, during: span)
        let astray = all.first.flatMap { explain(failure($0, in: flow, during: span), by: Self.leadingAstray) }
        let dead = all.filter { !$0.end.isGood }
        // What was sent again and came through is not what a request waited for in vain.
        let lasting = span == nil ? dead : dead.filter { !$0.isReplaced(in: all) }
        let candidates = lasting + (astray == nil ? all.suffix(1) : []) + dead
        let own = candidates.lazy.compactMap { explain(failure($0, in: flow, during: span)) }.first
        if let astray { return own.map(astray.followed) ?? astray }
        return own
    }

    private func explain(_ journey: Journey) -> Diagnosis? { explain(failure(journey, in: nil)) }

    private func failure(_ journey: Journey, in flow: Flow?, during span: ClosedRange<Nanoseconds>? = nil) -> Case {
        var failure = Case(
            scenario: scenario, evidence: evidence, journeys: journeys, journey: journey,
            flow: flow ?? journey.flow.map { journeys.flows[$0] }, facts: facts)
        if let span { failure.span = span }
        return failure
    }

    private func explain(_ failure: Case, by mechanisms: [any Mechanism] = Self.mechanisms) -> Diagnosis? {
        for mechanism in mechanisms {
            if let diagnosis = mechanism.diagnose(failure) { return diagnosis }
        }
        return nil
    }
}

extension Journeys {
    /// A flow's journeys, both ways, that began at such times; all of them if none did.
    public func journeys(of flow: Flow, during span: ClosedRange<Nanoseconds>? = nil) -> [Journey] {
        let all = (flow.forward + flow.reply).sorted().map { journeys[$0] }
        guard let span else { return all }
        let those = all.filter { span.contains($0.started) }
        return those.isEmpty ? all : those
    }
}

extension Journey {
    /// Whether one of these carries the same on and came through.
    public func isReplaced(in others: [Journey]) -> Bool {
        others.contains { $0.number > number && $0.packet == packet && $0.end == .delivered }
    }
}
