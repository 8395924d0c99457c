extension Diagram {
    /// The diagram as inline SVG, with a first line on it; the script draws others into the element `way`.
    func svg(title: String, description: String, way: DiagramWay?, fails: Bool) -> Markup {
        """
        <svg class="net" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" role="img" \
        aria-labelledby="net-title net-desc">
        <title id="net-title">\(title)</title><desc id="net-desc">\(description)</desc>
        <defs><marker id="arrow" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">\
        <path d="M0 0L10 5L0 10z"/></marker></defs>
        \(boxes.filter { $0.kind == .hypervisor || $0.kind == .switch }.map(\.markup))\
        \(cables.map(Self.cable))\
        \(sortedBars.map(\.markup))\
        \(boxes.filter { $0.kind == .machine || $0.kind == .ghost }.map(\.markup))\
        \(sortedPorts.map { markup(of: $0) })\
        <g id="way" class="\(fails ? "fails" : "")"><path class="halo" d="\(way?.path ?? "")"/>\
        <path class="line" d="\(way?.path ?? "")" marker-end="\(fails ? "" : "url(#arrow)")"/>\
        \(cross(at: fails ? way?.spots.last : nil))</g>
        </svg>

        """
    }

    private var sortedBars: [Bar] {
        bars.filter { $0.value.left <= $0.value.right }.sorted { $0.key < $1.key }.map(\.value)
    }
    private var sortedPorts: [Port] { ports.sorted { $0.key < $1.key }.map(\.value) }

    private static func cable(_ spots: [Spot]) -> Markup {
        "<polyline class=\"cable\" points=\"\(spots.map { "\($0.x),\($0.y)" }.joined(separator: " "))\"/>\n"
    }

    private func cross(at spot: Spot?) -> Markup {
        let place = spot.map { "translate(\($0.x) \($0.y))" } ?? "translate(-50 -50)"
        return "<path class=\"cross\" d=\"M-8 -8L8 8M8 -8L-8 8\" transform=\"\(place)\"/>"
    }

    private func markup(of port: Port) -> Markup {
        // Over a machine's upper edge there is its tap's label; below the lower edge and beside a tap there is room.
        let isCard = port.machine != nil
        let isUpper = isCard && boxes.contains { $0.y == port.spot.y && $0.kind != .hypervisor && $0.kind != .switch }
        let y = isCard ? (isUpper ? port.spot.y + 14 : port.spot.y - 6) : port.spot.y + 4
        return """
            <g class="port" data-port="\(port.name)"><circle cx="\(port.spot.x)" cy="\(port.spot.y)" r="4.5"/>\
            <text x="\(port.spot.x + (isCard ? 8 : 9))" y="\(y)">\(port.label)</text></g>

            """
    }
}

extension Diagram.Box {
    fileprivate var markup: Markup {
        let inner = kind == .machine || kind == .ghost
        return """
            <g class="box \(kind.rawValue)"><rect x="\(x)" y="\(y)" width="\(width)" height="\(height)" \
            rx="\(inner ? 8 : 12)"/>\(inner ? centred : cornered)</g>

            """
    }

    private var centred: Markup {
        """
        <text class="name" x="\(x + 12)" y="\(y + (caption.isEmpty ? height / 2 + 5 : height / 2 - 1))">\(name)</text>\
        \(.when(!caption.isEmpty, "<text class=\"caption\" x=\"\(x + 12)\" y=\"\(y + height / 2 + 15)\">\(caption)</text>"))
        """
    }

    private var cornered: Markup {
        """
        <text class="name" x="\(x + 12)" y="\(y + 19)">\(name)</text>\
        <text class="caption" x="\(x + 18 + name.count * 9)" y="\(y + 19)">\(caption)</text>
        """
    }
}

extension Diagram.Bar {
    fileprivate var markup: Markup {
        """
        <g class="bar"><line x1="\(left - 14)" x2="\(right + 14)" y1="\(y)" y2="\(y)"/>\
        <text x="\(left - 22)" y="\(y + 4)" text-anchor="end">\(label)</text></g>

        """
    }
}
