public import Net

/// What an address is called.
public struct AddressName: Codable, Sendable, Equatable {
    public var address: IPAddress
    public var name: String

    public init(_ address: IPAddress, _ name: String) {
        self.address = address
        self.name = name
    }
}

extension Scenario {
    /// Each address once, with the machine that has it; the address of a service is the VIP, whoever has it.
    public var addressNames: [AddressName] {
        var names: [AddressName] = []
        var known: Set<IPAddress> = []
        func add(_ address: IPAddress, _ name: String) {
            if !address.isUnspecified, known.insert(address).inserted { names.append(AddressName(address, name)) }
        }
        for service in services where !known.contains(service.address) {
            add(service.address, names.isEmpty ? "vip" : "vip\(names.count + 1)")
        }
        for host in hosts {
            let onCards = host.ports.flatMap { ($0.addresses ?? []).map(\.address) + $0.fixedIPs }
            for address in onCards + host.interfaces.flatMap({ $0.addresses.map(\.address) }) {
                add(address, host.name)
            }
        }
        return names
    }
}
