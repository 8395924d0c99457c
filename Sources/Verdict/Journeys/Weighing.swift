internal import Evidence

/// Weighs what may have ended packets against what was counted: no rule is blamed for more packets than it counted.
struct Weighing {
    struct Item {
        /// Its own index among the items.
        var number: Int
        var ending: Ending
    }

    private var remaining: [String: Int] = [:]
    /// By an item's number.
    private(set) var decided: [Int: (ending: Ending, suspect: Ending.Suspect?)] = [:]

    init(_ items: [Item]) {
        for item in items {
            for resource in item.ending.suspects.flatMap(\.resources) { remaining[resource.name] = resource.capacity }
        }
        var open = items
        // Those that only one thing can have ended take from it first; what is then used up is none for the others.
        var isMoving = true
        while isMoving {
            isMoving = false
            var rest: [Item] = []
            for item in open {
                let possible = item.ending.suspects.filter(isPossible)
                let names = Set(possible.map(Self.name))
                if possible.isEmpty {
                    decided[item.number] = (item.ending, nil)
                    isMoving = true
                } else if names.count == 1, item.ending.end.isOpen, let only = possible.first {
                    take(only)
                    decided[item.number] = (item.ending, only)
                    isMoving = true
                } else {
                    rest.append(item)
                }
            }
            open = rest
        }
        settle(open)
    }

    /// What is left has several explanations, or may have ended well.
    private mutating func settle(_ items: [Item]) {
        // By what they have in common; each group in its order.
        var groups: [[String]: [Item]] = [:]
        var order: [[String]] = []
        for item in items {
            let names = item.ending.suspects.filter(isPossible).map(Self.name)
            let key = [item.ending.end.text, item.ending.place] + names
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(item)
        }
        for key in order {
            for item in groups[key] ?? [] {
                let possible = item.ending.suspects.filter(isPossible)
                let names = Set(possible.map(Self.name))
                if possible.isEmpty {
                    decided[item.number] = (item.ending, nil)
                } else if names.count == 1, let only = possible.first {
                    take(only)
                    decided[item.number] = (item.ending, only)
                } else {
                    var ending = item.ending
                    ending.end = .undecided(between: possible.map(Self.text).distinct)
                    decided[item.number] = (ending, nil)
                }
            }
        }
    }

    private func isPossible(_ suspect: Ending.Suspect) -> Bool {
        suspect.resources.allSatisfy { remaining[$0.name, default: 0] > 0 }
    }

    private mutating func take(_ suspect: Ending.Suspect) {
        for resource in suspect.resources { remaining[resource.name, default: 0] -= 1 }
    }

    /// The rule as reports name it.
    private static func text(_ suspect: Ending.Suspect) -> String {
        suspect.rules.last.map { "'\($0.rule.counter.text)'" } ?? suspect.end.text
    }

    /// The same rule is one cause, in whatever interval, whatever way led to it.
    static func name(_ suspect: Ending.Suspect) -> String {
        guard let last = suspect.rules.last else { return suspect.end.text }
        return "\(last.key.family) \(last.key.table) \(last.key.chain) \(last.rule.counter.number) "
            + last.rule.counter.rule
    }
}

extension JourneyEnd {
    /// Whether nothing but a suspect can explain it.
    fileprivate var isOpen: Bool {
        if case .undecided = self { true } else { false }
    }
}

extension [String] {
    var distinct: [String] {
        var result: [String] = []
        for text in self where !result.contains(text) { result.append(text) }
        return result
    }
}
