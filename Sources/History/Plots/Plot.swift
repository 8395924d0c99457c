internal import Text

/// A drawing, as a program for gnuplot that holds its data.
public struct Plot: Sendable, Equatable {
    /// Of its file, without an ending: `latency-modes-closed-4`.
    public var name: String
    public var title: String
    /// What it shows, for those who do not see it.
    public var summary: String
    /// Everything but where to draw to: set-up, data and the plot command.
    var script: String
    /// How many entries its key has, two of them in a row.
    var keyEntries = 0

    private var height: Int { 360 + 19 * max(0, (keyEntries + 1) / 2 - 3) }

    /// The whole program, which draws to a file beside it. Small enough that a phone need not shrink its letters much.
    public var program: String {
        """
        reset
        set terminal svg size 480,\(height) dynamic noenhanced font 'system-ui,sans-serif,13' \
        background rgb '\(PlotColours.ground.light)'
        set output '\(name).svg'
        \(script)set output

        """
    }
}

extension Plot {
    init(name: String, title: String, summary: String, script: GnuplotScript) {
        self.init(
            name: name, title: title, summary: summary, script: script.text, keyEntries: script.keyEntries)
    }
}

/// Writes gnuplot's language.
struct GnuplotScript {
    private(set) var text: String
    private(set) var keyEntries = 0
    private var blocks = 0

    init(title: String) {
        let colours = PlotColours.self
        text = """
            set title \(Self.quoted(Self.shortened(title, to: 60))) textcolor rgb '\(colours.ink.light)'
            set border 3 linecolor rgb '\(colours.soft.light)'
            set tics nomirror textcolor rgb '\(colours.ink.light)'
            set grid linecolor rgb '\(colours.line.light)' linetype 1 linewidth 1
            set key outside bottom center horizontal Left reverse height 0.5 samplen 2 width -1 \
                textcolor rgb '\(colours.ink.light)'

            """
    }

    mutating func add(_ line: String) { text += line + "\n" }

    mutating func label(axis: String, _ label: String) {
        let offset = axis == "x" ? " offset 0, 0.8" : ""
        add("set \(axis)label \(Self.quoted(label))\(offset) textcolor rgb '\(PlotColours.ink.light)'")
    }

    /// Names the values of an axis, and no others. Their labels are formats.
    mutating func tics(axis: String, _ tics: [(label: String, position: Double)]) {
        let list = tics.map { "\(Self.quoted($0.label.replacing("%", with: "%%"))) \($0.position)" }
            .joined(separator: ", ")
        add("set \(axis)tics (\(list))")
    }

    /// - Returns: the name of the block with these rows.
    mutating func data(_ rows: [[Double]]) -> String {
        blocks += 1
        add("$data\(blocks) << END")
        for row in rows { add(row.map { "\($0)" }.joined(separator: " ")) }
        add("END")
        return "$data\(blocks)"
    }

    mutating func plot(_ parts: [String]) {
        keyEntries = parts.count { !$0.hasSuffix(Self.title(nil)) }
        add("plot \(parts.joined(separator: ", \\\n     "))")
    }

    /// In single quotes gnuplot takes everything for what it is, but for the quote itself.
    static func quoted(_ text: String) -> String { "'\(text.printable.replacing("'", with: "''"))'" }

    /// A curve's title in the key; nil keeps it out.
    static func title(_ title: String?) -> String {
        title.map { "title \(quoted(shortened($0, to: 40)))" } ?? "notitle"
    }

    /// So that it fits into a plot.
    static func shortened(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
    }
}

/// Each colour on a light and on a dark ground; gnuplot draws the light one.
enum PlotColours {
    typealias Pair = (light: String, dark: String)

    static let ground: Pair = ("#ffffff", "#11171d")
    static let ink: Pair = ("#17212b", "#e4eaf0")
    static let soft: Pair = ("#52606d", "#a3b1be")
    static let line: Pair = ("#d3dae1", "#33404c")
    static let change: Pair = ("#b3151d", "#ff8f8a")
    /// Of curves: those of Okabe and Ito, which the colour-blind can tell apart, darker or lighter as the ground asks for.
    static let curves: [Pair] = [
        ("#0072b2", "#56b4e9"), ("#c14f00", "#ff9a4d"), ("#00795a", "#35d0a2"), ("#a8487f", "#e8a2cb"),
        ("#8a6a00", "#f0d044"), ("#5b4fc4", "#b3abff"), ("#4d4d4d", "#c9c9c9"),
    ]
    static let all = [ground, ink, soft, line, change] + curves

    /// How the line with this number is drawn; nil is the text's colour.
    static func line(_ number: Int?, isDashed: Bool = false) -> String {
        let colour = number.map { curves[$0 % curves.count] } ?? ink
        return "linecolor rgb '\(colour.light)' linewidth 2 dashtype \(isDashed ? 2 : 1)"
    }

    /// A line with points, which have a shape of their own, too; hollow ones on a dashed line, around those of its partner.
    static func curve(_ number: Int?, isDashed: Bool = false) -> String {
        let shapes = isDashed ? [6, 4, 8, 10, 12, 14, 1] : [7, 5, 9, 11, 13, 15, 3]
        let shape = shapes[(number ?? 0) % shapes.count]
        return "\(line(number, isDashed: isDashed)) pointtype \(shape) pointsize \(isDashed ? 1.1 : 0.6)"
    }
}
