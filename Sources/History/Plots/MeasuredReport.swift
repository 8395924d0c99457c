internal import FoundationEssentials
public import Measurement

/// The page of a run: plots, its place in the history, and its numbers.
public enum MeasuredReport {
    /// Writes `index.html`, which needs nothing else, and beside it each plot (`.svg`) with its program (`.gp`).
    ///
    /// - Parameters:
    ///   - number: of the run in the history, if it is kept.
    ///   - trends: of the runs up to this one; of those that it measured at most `mostTrends` are drawn, those whose level
    ///     changed first.
    ///   - folder: is made if it is missing.
    /// - Returns: the page's path.
    @discardableResult
    public static func write(
        _ run: MeasuredRun, number: Int?, trends: [Trend], in folder: String
    ) throws(PlotError) -> String {
        let ofRun = Plots.of(run)
        let series = Set(run.samples.map(\.series))
        let ofTrends = Array(Plots.of(trends.filter { series.contains($0.series) }).prefix(mostTrends))
        // One process for all.
        let drawn = try Gnuplot.draw(ofRun.overParameters + ofRun.latencies + ofTrends, in: folder)
        let (first, second) = (ofRun.overParameters.count, ofRun.latencies.count)
        let scenarios = Set(run.measurements.map { String($0.scenario.prefix { $0 != "/" }) }).sorted()
        var page = PlotPage(title: scenarios.joined(separator: ", "))
        page.add(run, number: number)
        page.add("By parameter", Array(drawn.prefix(first)))
        page.add("Latencies", Array(drawn.dropFirst(first).prefix(second)))
        page.addTable(of: run)
        page.add("From run to run", Array(drawn.dropFirst(first + second)))
        let path = "\(folder)/index.html"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(page.text.utf8).write(to: URL(filePath: path))
        } catch {
            throw PlotError(description: "cannot write '\(path)': \(error)")
        }
        return path
    }

    static let mostTrends = 24
}
