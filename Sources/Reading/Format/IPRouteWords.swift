internal import Net
internal import Scenario

/// Routes and neighbours as iproute2 writes them.
enum IPRouteWords {
    static let route = Shape<Route>.scalar(
        "a route such as \"default via 203.0.113.1\" or \"10.0.0.0/24 via 203.0.113.9 dev eth0\"",
        schema: .text(pattern: "^(default|[0-9a-fA-F:.]+(/[0-9]{1,3})?)( (via|dev) [^ ]+){1,2}$"),
        parse: { text in
            var words = text.split(separator: " ")[...]
            guard let destination = words.popFirst() else { return nil }
            let to = IPPrefix(destination)
            guard destination == "default" || to != nil, let options = pairs(words, ["via", "dev"]), !options.isEmpty
            else { return nil }
            let via = options["via"].flatMap { IPAddress($0) }
            guard (via == nil) == (options["via"] == nil) else { return nil }
            return Route(to: destination == "default" ? nil : to, via: via, interface: options["dev"])
        })

    static let neighbour = Shape<StaticNeighbour>.scalar(
        "a neighbour such as \"203.0.113.1 lladdr 02:00:00:00:00:01 dev eth0\"",
        schema: .text(pattern: "^[0-9a-fA-F:.]+( (lladdr|dev) [^ ]+){2}$"),
        parse: { text in
            var words = text.split(separator: " ")[...]
            guard let first = words.popFirst(), let address = IPAddress(first),
                let options = pairs(words, ["lladdr", "dev"]), let mac = options["lladdr"].flatMap({ MACAddress($0) }),
                let interface = options["dev"]
            else { return nil }
            return StaticNeighbour(address: address, mac: mac, interface: interface)
        })

    /// `via X dev Y` in any order; nil for another word, a word twice, or one without its value.
    private static func pairs(_ words: ArraySlice<Substring>, _ known: [String]) -> [String: String]? {
        var rest = words
        var result: [String: String] = [:]
        while let word = rest.popFirst() {
            guard known.contains(String(word)), result[String(word)] == nil, let value = rest.popFirst() else {
                return nil
            }
            result[String(word)] = String(value)
        }
        return result
    }
}
