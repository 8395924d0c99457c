import Evidence
import Net
import Scenario
import Testing
import Verdict

// Testing has types of these names too.
import struct Scenario.Expectation
import struct Scenario.SourceLocation

/// The seed's network on two hypervisors: hv1 has lb and rs1, hv2 has rs2.
struct Bench {
    var scenario: Scenario
    var evidence: Evidence
    var frames: [RunFrame] = []

    static let vip = ip("203.0.113.2")
    static let client = ip("198.51.100.10")
    static let portNames = [
        "gw:eth0", "lb:eth0", "hv1:uplink", "hv1:tap1b000010-00", "hv1:tapa5000021-00", "rs1:eth0", "hv2:uplink",
        "hv2:tapa5000022-00", "rs2:eth0",
    ]
    static let macs: [String: MACAddress] = [
        "gw": MACAddress(bits: 0x0200_0000_0001), "lb": MACAddress(bits: 0xFA16_3E00_0003),
        "rs1": MACAddress(bits: 0xFA16_3E00_0004), "rs2": MACAddress(bits: 0xFA16_3E00_0005),
        "broadcast": .broadcast,
    ]

    init() {
        func host(_ name: String, _ id: String, _ address: String, on: String) -> Host {
            Host(
                name: name, on: on,
                ports: [Port(id: id, macAddress: Self.mac(name), fixedIPs: [ip(address)])])
        }
        scenario = Scenario(
            name: "cross-hv-p-old", title: "one real server moved away", topology: "cross",
            neutron: NeutronDeployment(release: "2014.1.5"), switches: [Switch(name: "fab")],
            hypervisors: [Hypervisor(name: "hv1", uplink: "fab"), Hypervisor(name: "hv2", uplink: "fab")],
            hosts: [
                host("gw", "90000001-0001-4000-8000-000000000001", "203.0.113.1", on: "fab"),
                host("lb", "1b000010-0010-4000-8000-000000000010", "203.0.113.3", on: "hv1"),
                host("rs1", "a5000021-0021-4000-8000-000000000021", "203.0.113.4", on: "hv1"),
                host("rs2", "a5000022-0022-4000-8000-000000000022", "203.0.113.5", on: "hv2"),
            ])
        evidence = Evidence(
            scenario: "cross-hv-p-old",
            engine: EngineRecord(name: "uml", kernel: "6.1.0", virtualTime: true, seed: 1), started: 0)
        evidence.complete = true
        evidence.ports = Self.portNames.map { name in
            let parts = name.split(separator: ":").map(String.init)
            return CapturePort(name: name, namespace: parts[0], interface: parts[1], mac: nil)
        }
    }

    static func mac(_ name: String) -> MACAddress { macs[name] ?? MACAddress(bits: 0) }

    static func location(_ line: Int) -> SourceLocation {
        SourceLocation(file: "Scenarios/cross.yaml", line: line, column: 5)
    }

    /// Judges one expectation over the whole run.
    func check(_ check: Expectation.Check) throws -> CheckResult {
        var scenario = scenario
        scenario.expectations = [Expectation(check, location: Self.location(1))]
        return try #require(
            judge(scenario: scenario, evidence: evidence, frames: frames).checks.first,
            "\(judge(scenario: scenario, evidence: evidence, frames: frames).reason)")
    }

    /// Judges one expectation in one of the steps.
    func check(_ check: Expectation.Check, step: Int) throws -> CheckResult {
        var scenario = scenario
        scenario.timeline[step].expectations = [Expectation(check, location: Self.location(1))]
        return try #require(judge(scenario: scenario, evidence: evidence, frames: frames).checks.first)
    }

    /// Adds a step to the scenario and to the evidence, from one millisecond of the run to another.
    mutating func addStep(_ name: String, _ time: ClosedRange<Int>, _ record: (inout StepRecord) -> Void = { _ in }) {
        scenario.timeline.append(Step(name: name, action: .wait(0), location: Self.location(2)))
        var step = StepRecord(
            name: name, started: Nanoseconds(time.lowerBound) * 1_000_000,
            ended: Nanoseconds(time.upperBound) * 1_000_000)
        record(&step)
        evidence.steps.append(step)
    }

    /// A TCP frame, seen at ports one microsecond after another.
    mutating func tcp(
        _ flags: String, at ports: String..., time: Int, from: String, to: String,
        source: String = "198.51.100.10:40312",
        destination: String = "203.0.113.2:80", sequence: UInt32 = 1, ttl: UInt8 = 63, data: Int = 0, id: UInt16 = 7
    ) throws {
        let source = try #require(Endpoint(source))
        let destination = try #require(Endpoint(destination))
        var bits: UInt8 = 0
        for letter in flags { bits |= ["F": 1, "S": 2, "R": 4, "P": 8, ".": 16][letter] ?? 0 }
        let length = 40 + data
        var octets = Self.mac(to).octets + Self.mac(from).octets + [0x08, 0x00]
        octets += [0x45, 0, UInt8(length >> 8), UInt8(length & 255), UInt8(id >> 8), UInt8(id & 255), 0x40, 0, ttl, 6]
        octets += [0, 0] + source.address.octets + destination.address.octets
        octets += Self.octets(source.port) + Self.octets(destination.port)
        octets += Self.octets(UInt16(sequence >> 16)) + Self.octets(UInt16(sequence & 0xFFFF)) + [0, 0, 0, 0]
        octets += [0x50, bits, 0xFF, 0xFF, 0, 0, 0, 0] + [UInt8](repeating: 0x41, count: data)
        try add(octets, at: ports, time: time)
    }

    /// An ARP message: operation 1 asks, 2 answers.
    mutating func arp(
        _ operation: UInt8, at ports: String..., time: Int, from: String, to: String, sender: String, target: String
    ) throws {
        var octets = Self.mac(to).octets + Self.mac(from).octets + [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, operation]
        octets += Self.mac(from).octets + ip(sender).octets
        octets += (operation == 1 ? [0, 0, 0, 0, 0, 0] : Self.mac(to).octets) + ip(target).octets
        try add(octets, at: ports, time: time)
    }

    /// With a network, as every scenario that was read from files has one.
    static func networked(until ended: Nanoseconds? = nil) throws -> Bench {
        var bench = Bench()
        bench.scenario.networks = [
            Network(
                name: "public", id: "e7000001-0001-4000-8000-000000000001",
                cidr: try #require(IPPrefix("203.0.113.0/27")))
        ]
        if let ended { bench.evidence.ended = ended }
        return bench
    }

    var journeys: [Journey] { Journeys(scenario: scenario, evidence: evidence, frames: frames).journeys }

    mutating func add(_ octets: [UInt8], at ports: [String], time: Int) throws {
        for (index, name) in ports.enumerated() {
            let port = try #require(Self.portNames.firstIndex(of: name))
            frames.append(
                RunFrame(port: port, time: Nanoseconds(time) * 1_000_000 + Int64(index) * 1000, octets: octets[...]))
        }
    }

    private static func octets(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
}

/// An address that is known to be one.
func ip(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(v4: 0) }

func endpoint(_ text: String) -> Endpoint { Endpoint(text) ?? Endpoint(ip("0.0.0.0"), port: 0) }

/// A TCP entry of the client's connection to the VIP.
func entry(
    _ state: String, _ flags: [String] = [], port: UInt16 = 40312, zone: UInt16 = 0, protocol: String = "tcp"
) -> ConntrackEntry {
    ConntrackEntry(
        protocol: `protocol`,
        original: ConntrackTuple(
            source: Bench.client, destination: Bench.vip, sourcePort: port, destinationPort: 80),
        reply: ConntrackTuple(
            source: Bench.vip, destination: Bench.client, sourcePort: 80, destinationPort: port),
        state: state, flags: flags, zone: zone, mark: 0, timeout: 100)
}

let ingressChain = "neutron-linuxbri-i1b000010-0"

func rule(
    _ text: String, _ packets: Int, number: Int = 1, chain: String = ingressChain, family: String = "ipv4",
    table: String = "filter"
) -> RuleCounter {
    RuleCounter(
        family: family, table: table, chain: chain, number: number, rule: text, packets: packets, bytes: packets * 60)
}

/// Exactly none. Spelled out because `.none` where a count is optional is nil, "nothing is asserted".
let zero = Expectation.Count.none
