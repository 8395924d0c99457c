internal import FoundationEssentials
internal import Glibc
internal import Text

/// Why plots are not drawn.
public struct PlotError: Error, CustomStringConvertible {
    public let description: String
}

/// A plot and what gnuplot made of it.
public struct DrawnPlot: Sendable {
    public var plot: Plot
    /// A document of its own, which follows the reader's choice of light or dark.
    public var svg: String
}

/// Draws plots with the program `gnuplot`, of the Debian package gnuplot-nox.
public enum Gnuplot {
    /// Writes for each plot its program (`.gp`), which anyone can change and run again, and its drawing (`.svg`).
    ///
    /// One process draws all of them, on the caller's time.
    /// - Parameter folder: is made if it is missing.
    @discardableResult
    public static func draw(_ plots: [Plot], in folder: String) throws(PlotError) -> [DrawnPlot] {
        guard !plots.isEmpty else { return [] }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for plot in plots {
                try Data(plot.program.utf8).write(to: URL(filePath: "\(folder)/\(plot.name).gp"))
                // An old one must not be taken for a new one.
                unlink("\(folder)/\(plot.name).svg")
            }
        } catch {
            throw PlotError(description: "cannot write to '\(folder)': \(error)")
        }
        try run(plots.map { "\($0.name).gp" }, in: folder)
        var drawn: [DrawnPlot] = []
        for plot in plots {
            let path = "\(folder)/\(plot.name).svg"
            guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else {
                throw PlotError(description: "gnuplot drew nothing for '\(folder)/\(plot.name).gp'")
            }
            let svg = SVGText.finished(String(decoding: data, as: UTF8.self), plot)
            do {
                try Data(svg.utf8).write(to: URL(filePath: path))
            } catch {
                throw PlotError(description: "cannot write '\(path)': \(error)")
            }
            drawn.append(DrawnPlot(plot: plot, svg: svg))
        }
        return drawn
    }

    private static func run(_ files: [String], in folder: String) throws(PlotError) {
        let errors = "\(folder)/gnuplot.log"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        // Programs name their drawings without a folder, so that they can be run again anywhere.
        let words = ["gnuplot", "-e", "cd \(GnuplotScript.quoted(folder))"] + files
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = -1
        let failure = posix_spawnp(&process, "gnuplot", &actions, nil, &arguments, environ)
        guard failure == 0 else {
            unlink(errors)
            throw PlotError(
                description: failure == ENOENT
                    ? "plots are drawn by gnuplot, which is not installed: apt-get install gnuplot-nox, or 'make setup'"
                    : "cannot start gnuplot: \(String(cString: strerror(failure)))")
        }
        var status: Int32 = -1
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let said = FileManager.default.contents(atPath: errors).map { String(decoding: $0, as: UTF8.self) } ?? ""
        unlink(errors)
        guard status == 0 else {
            let lines = said.split(separator: "\n").map { String($0).printable }.filter { !$0.contains("warning:") }
                .prefix(4)
            throw PlotError(description: "gnuplot failed: \(lines.joined(separator: " "))")
        }
    }
}

/// What is added to gnuplot's drawings.
enum SVGText {
    /// With a title and a description of its own, and colours for a dark ground.
    static func finished(_ svg: String, _ plot: Plot) -> String {
        let rules = PlotColours.all.flatMap { pair in
            ["fill", "stroke", "color"].map { "[\($0)=\"\(pair.light)\"]{\($0):\(pair.dark)}" }
        }
        let dark = rules.joined() + "[color=black]{color:\(PlotColours.ink.dark)}"
        let head = """
            <title>\(escaped(plot.title))</title>
            <desc>\(escaped(plot.summary))</desc>
            <style>@media (prefers-color-scheme:dark){\(dark)}</style>
            """
        let text = hexadecimal(svg)
        guard let start = text.firstRange(of: "<title>")?.lowerBound,
            let end = text.firstRange(of: "</desc>")?.upperBound
        else {
            return text
        }
        return text[..<start] + head + text[end...]
    }

    /// gnuplot writes some colours as `rgb( 82,  96, 109)` and others as `rgb(82,96,109)`; rules need one way.
    static func hexadecimal(_ svg: String) -> String {
        var result = ""
        var rest = svg[...]
        while let start = rest.firstRange(of: "rgb("), let end = rest[start.upperBound...].firstIndex(of: ")") {
            result += rest[..<start.lowerBound]
            let parts = rest[start.upperBound..<end].split(separator: ",").compactMap { part in
                UInt8(part.filter { $0 != " " })
            }
            if parts.count == 3 {
                let digits = Array("0123456789abcdef")
                result += "#" + parts.map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }.joined()
            } else {
                result += rest[start.lowerBound...end]
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    static func escaped(_ text: String) -> String {
        text.printable.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
