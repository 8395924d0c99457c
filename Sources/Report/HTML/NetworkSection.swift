internal import Verdict

/// The diagram, and the controls that step through the packets.
struct NetworkSection {
    private let story: Explanation
    private let diagram: Diagram
    private let packets: PacketData

    init(_ story: Explanation, _ diagram: Diagram, _ packets: PacketData) {
        self.story = story
        self.diagram = diagram
        self.packets = packets
    }

    var markup: Markup {
        guard !diagram.boxes.isEmpty else { return "" }
        let first = packets.packets.firstIndex { !packets.ends.items[$0.end].good } ?? 0
        let shown = packets.packets.indices.contains(first) ? packets.packets[first] : nil
        let journey = shown.map { story.journeys.journeys[$0.number - 1] }
        return """
            \(.when(shown != nil, controls(first)))\
            <div class="scroll net" tabindex="0" role="region" aria-label="Diagram of the network">
            \(diagram.svg(
                title: "The network", description: "Machines, bridges and cables, with the way of the chosen packet.",
                way: journey.map { diagram.way(of: $0) }, fails: journey.map { !$0.end.isGood } ?? false))</div>
            <div id="packet" aria-live="polite">\(journey.markup(text))</div>
            """
    }

    private func controls(_ first: Int) -> Markup {
        let left = packets.total - packets.packets.count
        return """
            <form class="player" id="player">
            <p class="row"><label for="which">Packets</label> <select id="which"><option value="all">all</option>\
            <option value="dead">those that did not arrive</option>\
            \(packets.flows.prefix(100).enumerated().map { "<option value=\"\($0.offset)\">\($0.element)</option>" as Markup })\
            </select> <label class="check"><input type="checkbox" id="arp" checked> of no flow, too</label></p>
            <p class="row"><button type="button" id="previous" aria-label="Previous packet">◀</button>\
            <input type="range" id="time" min="0" max="\(packets.packets.count - 1)" value="\(first)" step="1" \
            aria-label="Packet, in the order of time">\
            <button type="button" id="next" aria-label="Next packet">▶</button> <output id="place" for="time"></output></p>
            <p class="hint">◀ and ▶, or the arrow keys, step through the packets.\
            \(.when(left > 0, " Of \(packets.total) packets \(packets.packets.count) are here, \(left) are only in the capture."))</p>
            </form>

            """
    }

    /// What the script replaces when another packet is chosen.
    private func text(of journey: Journey) -> Markup {
        """
        <p class="what"><strong>#\(journey.number)</strong> <span class="num">\(journey.started.microseconds)</span> \
        <code>\(journey.packet)</code></p>\
        <p class="\(journey.end.isGood ? "good" : "killed")">\(journey.end.text)\
        \(journey.end.isGood ? "" : journey.blame.markup { ", at \($0.place)" })</p>\
        <ol class="hops">\(journey.hops.map { "<li><code>\(story.line(of: $0))</code></li>" as Markup })</ol>
        """
    }
}
