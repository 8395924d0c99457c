internal import Scenario

/// A table of cases in one file: axes, each with named values, and every combination of them a scenario of its own.
///
/// A value is an overlay like a variant, or just a word; either way the parameter with the axis's name is that word.
/// What only one cell has stands in `cells`, by the cell's name: its values' names with `-` between them.
struct Matrix {
    static let key = "matrix"
    static let cellsKey = "cells"

    struct Cell {
        var name: String
        /// Laid over the scenario in this order: axis by axis, and what stands in `cells`.
        var overlays: [Tree]
        /// The values' names in the order of the axes.
        var values: [String]
        /// The same by the axes' names.
        var axes: [String: String] = [:]
    }

    private struct Axis {
        var name: String
        var values: [Tree.Entry]
    }

    let location: SourceLocation
    private(set) var cells: [Cell] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// - Parameter cells: what single cells have beside their axes.
    init(_ tree: Tree, cells special: Tree?) {
        location = tree.location
        guard let entries = tree.entries, !entries.isEmpty else {
            report(tree.location, "found \(tree.found)", expected: "a mapping from each axis's name to its values")
            return
        }
        let axes = entries.compactMap { axis($0) }
        // Names with mistakes may have any length.
        guard axes.count == entries.count, diagnostics.isEmpty, fits(axes, at: tree.location) else { return }
        cells = [Cell(name: "", overlays: [], values: [])]
        for axis in axes {
            let overlays = axis.values.map { Self.naming(axis.name, $0) }
            cells = cells.flatMap { cell in
                zip(axis.values, overlays).map { value, overlay in
                    Cell(
                        name: cell.name.isEmpty ? value.key : "\(cell.name)-\(value.key)",
                        overlays: cell.overlays + [overlay],
                        values: cell.values + [value.key], axes: cell.axes.merging([axis.name: value.key]) { $1 })
                }
            }
        }
        checkNames(at: tree.location)
        if let special { lay(special) }
    }

    /// Whether the cells, and their names, keep the limits: worked out before there are any.
    private mutating func fits(_ axes: [Axis], at place: SourceLocation) -> Bool {
        // A product of what stands in one file may be any number.
        var count: Int? = 1
        var length = axes.count - 1
        for axis in axes {
            let product = count?.multipliedReportingOverflow(by: axis.values.count)
            count = product.flatMap { $0.overflow ? nil : $0.partialValue }
            length += axis.values.map(\.key.utf8.count).max() ?? 0
        }
        if (count ?? .max) > Limits.scenarios {
            report(
                place, "the matrix has \(count.map { "\($0)" } ?? "uncountably many") cells",
                expected: "at most \(Limits.scenarios)")
            return false
        }
        if length > Limits.scenarioName {
            report(
                place, "the longest name of a cell, its values' names with '-' between them, has \(length) bytes",
                expected: "at most \(Limits.scenarioName)")
            return false
        }
        return true
    }

    /// Names that are put together can be the same: `a-b` with `c`, and `a` with `b-c`.
    private mutating func checkNames(at place: SourceLocation) {
        var known: [String: [String]] = [:]
        for cell in cells {
            if let other = known.updateValue(cell.values, forKey: cell.name) {
                report(
                    place,
                    "two cells are named '\(Tree.shortened(cell.name))': \(Tree.shortened(other.joined(separator: ", "))) "
                        + "and \(Tree.shortened(cell.values.joined(separator: ", ")))",
                    expected: "a name for each")
                return
            }
        }
    }

    private mutating func report(_ place: SourceLocation, _ message: String, expected: String) {
        diagnostics.append(Diagnostic(at: place, message, expected: expected))
    }

    private mutating func axis(_ entry: Tree.Entry) -> Axis? {
        if !NameForm.word.matches(entry.key) {
            report(
                entry.keyLocation, "'\(Tree.shortened(entry.key))' cannot be an axis's name",
                expected: NameForm.word.expected)
        }
        let values: [Tree.Entry]
        if let elements = entry.value.elements {
            values = elements.compactMap { element in
                element.text.map { word in
                    Tree.Entry(
                        key: word, keyLocation: element.location,
                        value: Tree(content: .map([]), location: element.location))
                }
            }
        } else {
            values = entry.value.entries ?? []
        }
        guard !values.isEmpty, entry.value.elements.map({ $0.count == values.count }) ?? true else {
            report(
                entry.value.location, "found \(entry.value.found)",
                expected: "the axis's values: a list of words, or a mapping from each value's name to what it changes")
            return nil
        }
        for value in values {
            if !NameForm.scenario.matches(value.key) {
                report(
                    value.keyLocation, "'\(Tree.shortened(value.key))' cannot be a value's name",
                    expected: NameForm.scenario.expected)
            }
            if value.value.entries == nil, value.value.content != .null {
                report(
                    value.value.location, "found \(value.value.found)", expected: "what the value changes, a mapping")
            }
        }
        return Axis(name: entry.key, values: values)
    }

    /// The value's overlay, with the parameter that says its name.
    private static func naming(_ axis: String, _ value: Tree.Entry) -> Tree {
        func map(_ key: String, _ inner: Tree) -> Tree {
            Tree(
                content: .map([Tree.Entry(key: key, keyLocation: value.keyLocation, value: inner)]),
                location: value.keyLocation)
        }
        let word = Tree(content: .scalar(value.key, plain: true), location: value.keyLocation)
        let named = map(Parameters.key, map(axis, word))
        return value.value.entries == nil ? named : named.overlaid(by: value.value)
    }

    private mutating func lay(_ special: Tree) {
        guard let entries = special.entries else {
            report(
                special.location, "found \(special.found)", expected: "a mapping from a cell's name to what it changes")
            return
        }
        let indices = Dictionary(cells.enumerated().map { ($1.name, $0) }) { first, _ in first }
        for entry in entries {
            guard let index = indices[entry.key] else {
                diagnostics.append(.unknown("cell", entry.key, at: entry.keyLocation, known: cells.map(\.name)))
                continue
            }
            guard entry.value.entries != nil else {
                report(entry.value.location, "found \(entry.value.found)", expected: "what the cell changes, a mapping")
                continue
            }
            cells[index].overlays.append(entry.value)
        }
    }
}
