/// How the curves of a plot are told apart: by a colour for each combination of the parameters that vary. Where one of them,
/// but the mode, has two values for each combination of the others, its curves are a pair in one colour, whole and dashed:
/// port security on and off.
struct CurveKey {
    typealias Parameters = [String: String]

    /// What varies, but for the axis.
    let names: [String]
    private let pair: (name: String, values: [String])?
    /// What the colours stand for, in order.
    private var labels: [String] = []

    init(_ all: [Parameters], besides axis: String?) {
        names = Set(all.flatMap(\.keys)).sorted().filter { name in
            name != axis && Set(all.map { $0[name] ?? "" }).count > 1
        }
        pair = Self.pair(among: names, of: all)
        for parameters in all {
            let label = Self.label(parameters, colours)
            if !labels.contains(label) { labels.append(label) }
        }
    }

    struct Look: Equatable {
        var colour: Int
        /// The second one of a pair.
        var isDashed: Bool
        /// nil for what the pair's first one has said.
        var title: String?
    }

    func look(of parameters: Parameters) -> Look {
        let label = Self.label(parameters, colours)
        let isDashed = pair.map { parameters[$0.name] == $0.values[1] } ?? false
        return Look(
            colour: labels.firstIndex(of: label) ?? 0, isDashed: isDashed,
            title: isDashed || label.isEmpty ? nil : label)
    }

    /// All that is known of a curve.
    func label(_ parameters: Parameters) -> String { Self.label(parameters, names) }

    /// What says which line is whole and which is dashed, as parts of gnuplot's plot command.
    /// - Parameter hasPoints: whether the curves have some.
    func pairEntries(hasPoints: Bool) -> [String] {
        guard let pair else { return [] }
        return pair.values.enumerated().map { number, value in
            let style =
                hasPoints ? PlotColours.curve(nil, isDashed: number > 0) : PlotColours.line(nil, isDashed: number > 0)
            let title = GnuplotScript.quoted(Self.label([pair.name: value], [pair.name]))
            return "keyentry with \(hasPoints ? "linespoints" : "lines") \(style) title \(title)"
        }
    }

    private var colours: [String] { names.filter { $0 != pair?.name } }

    private static func pair(among names: [String], of all: [Parameters]) -> (name: String, values: [String])? {
        guard names.count > 1 else { return nil }
        for name in names.reversed() where name != "mode" {
            var values: [String] = []
            for value in all.map({ $0[name] ?? "" }) where !values.contains(value) { values.append(value) }
            let others = names.filter { $0 != name }
            let partners = Dictionary(grouping: all) { label($0, others) }
            if values.count == 2, partners.values.allSatisfy({ Set($0.map { $0[name] ?? "" }).count == 2 }) {
                return (name, values)
            }
        }
        return nil
    }

    static func label(_ parameters: Parameters, _ names: [String]) -> String {
        names.map { name in
            let value = parameters[name] ?? "–"
            // A word says what it is, `on` does not.
            return name == "mode" ? value : "\(name.replacing("_", with: " ")) \(value)"
        }.joined(separator: ", ")
    }
}
