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

    private(set) var cells: [Cell] = []
    private(set) var diagnostics: [Diagnostic] = []

    /// - Parameter cells: what single cells have beside their axes.
    init(_ tree: Tree, cells special: Tree?) {
        guard let entries = tree.entries, !entries.isEmpty else {
            report(tree.location, "found \(tree.found)", expected: "a mapping from each axis's name to its values")
            return
        }
        let axes = entries.compactMap { axis($0) }
        guard axes.count == entries.count else { return }
        cells = [Cell(name: "", overlays: [], values: [])]
        for axis in axes {
            cells = cells.flatMap { cell in
                axis.values.map { value in
                    Cell(
                        name: cell.name.isEmpty ? value.key : "\(cell.name)-\(value.key)",
                        overlays: cell.overlays + [Self.naming(axis.name, value)],
                        values: cell.values + [value.key], axes: cell.axes.merging([axis.name: value.key]) { $1 })
                }
            }
        }
        if cells.count > 10_000 {
            report(tree.location, "\(cells.count) cells", expected: "at most 10000")
            cells = []
        }
        if let special { lay(special) }
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
        for entry in entries {
            guard let index = cells.firstIndex(where: { $0.name == entry.key }) else {
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
