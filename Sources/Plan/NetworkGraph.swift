internal import Net

extension Plan {
    /// The network as Graphviz draws it (`dot -Tsvg`): every namespace with its interfaces and their addresses, as they are
    /// when the timeline begins. Thick lines are cables (veth pairs), thin ones bridge ports and what stands on another
    /// interface.
    public var networkGraph: String {
        var graph = NetworkGraph()
        for operation in setup { graph.note(operation) }
        var lines = [
            "graph \(quoted(scenario)) {",
            "    graph [label=\(quoted(scenario)), fontname=\"sans-serif\", compound=true, nodesep=0.3, ranksep=0.6]",
            "    node [shape=box, style=rounded, fontname=\"monospace\", fontsize=10]",
            "    edge [fontname=\"monospace\", fontsize=9]",
        ]
        for namespace in namespaces {
            let interfaces = graph.interfaces.filter { $0.namespace == namespace.name }
            guard !interfaces.isEmpty else { continue }
            lines += [
                "    subgraph \(quoted("cluster \(namespace.name)")) {",
                "        label=\(quoted("\(namespace.name) (\(namespace.role.rawValue))"))",
                "        style=\(namespace.role == .host ? "rounded" : "\"rounded,dashed\"")",
            ]
            for interface in interfaces {
                let shape = interface.isBridge ? ", shape=underline, style=\"\"" : ""
                lines.append(
                    "        \(quoted(interface.id)) [label=\(quoted(interface.label.joined(separator: "\n")))\(shape)]"
                )
            }
            lines.append("    }")
        }
        for edge in graph.edges {
            lines.append(
                "    \(quoted(edge.one)) -- \(quoted(edge.other))" + (edge.isCable ? " [penwidth=2]" : ""))
        }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }
}

/// What of a plan's operations can be drawn.
private struct NetworkGraph {
    struct Interface {
        var namespace: String
        var name: String
        var isBridge = false
        /// Behind its name: its MAC and addresses.
        var remarks: [String] = []
        var id: String { "\(namespace):\(name)" }
        var label: [String] { [name] + remarks }
    }

    struct Edge {
        var one: String
        var other: String
        var isCable = false
    }

    private(set) var interfaces: [Interface] = []
    private(set) var edges: [Edge] = []

    mutating func note(_ operation: Operation) {
        let namespace = operation.namespace
        func id(_ name: String) -> String { "\(namespace):\(name)" }
        switch operation.action {
        case .addBridge(let name, let mac): add(namespace, name, mac, isBridge: true)
        case .addVeth(let name, let mac, _, let peer):
            add(namespace, name, mac)
            add(peer.namespace, peer.name, peer.mac)
            edges.append(Edge(one: id(name), other: "\(peer.namespace):\(peer.name)", isCable: true))
        case .addDummy(let name): add(namespace, name, nil)
        case .addVLAN(let name, let link, let number):
            add(namespace, name, nil, "vlan \(number)")
            edges.append(Edge(one: id(name), other: id(link)))
        case .addVXLAN(let name, let link, let number, _):
            add(namespace, name, nil, "vxlan \(number)")
            edges.append(Edge(one: id(name), other: id(link)))
        case .setMaster(let name, let bridge): edges.append(Edge(one: id(bridge), other: id(name)))
        case .addAddress(let prefix, let name):
            if let index = interfaces.firstIndex(where: { $0.id == id(name) }) {
                interfaces[index].remarks.append("\(prefix)")
            } else {
                add(namespace, name, nil, "\(prefix)")  // lo is there without being made.
            }
        default: break
        }
    }

    private mutating func add(
        _ namespace: String, _ name: String, _ mac: MACAddress?, isBridge: Bool = false, _ remark: String? = nil
    ) {
        interfaces.append(
            Interface(
                namespace: namespace, name: name, isBridge: isBridge,
                remarks: [mac.map { "\($0)" }, remark].compactMap { $0 }))
    }
}
