internal import FoundationEssentials
public import Measurement

/// A page with plots and numbers in one file that fetches nothing: light and dark, and for narrow screens.
public struct PlotPage {
    private var title: String
    private var facts: [(name: String, value: String)] = []
    private var sections: [String] = []

    public init(title: String) { self.title = title }

    /// Where and when a run was measured.
    public mutating func add(_ run: MeasuredRun, number: Int?) {
        let context = run.context
        if let number { facts.append(("run", "\(number)")) }
        facts.append(("started", DateText(run.started).description))
        facts.append(("clock", "\(context.clock.rawValue) time"))
        facts.append(("engine", context.engine))
        facts.append(("kernel", [context.kernel, context.kernelBuild].compactMap { $0 }.joined(separator: ", ")))
        if let seed = context.seed { facts.append(("seed", "\(seed)")) }
        facts.append(
            ("machine", "\(context.machine.processors) × \(context.machine.processor), \(context.machine.memory) MiB"))
        facts.append(("drbench", [context.drbench, context.revision].compactMap { $0 }.joined(separator: ", ")))
        for (name, version) in context.programs.sorted(by: { $0.key < $1.key }) { facts.append((name, version)) }
    }

    /// A heading, and plots under it that stand side by side where there is room.
    public mutating func add(_ heading: String, _ plots: [DrawnPlot]) {
        guard !plots.isEmpty else { return }
        let figures = plots.map { drawn in
            let data = Data(drawn.svg.utf8).base64EncodedString()
            let caption = SVGText.escaped(drawn.plot.title)
            return
                "<figure><img width=\"480\" height=\"360\" alt=\"\(caption): \(SVGText.escaped(drawn.plot.summary))\" "
                + "src=\"data:image/svg+xml;base64,\(data)\"></figure>\n"
        }
        sections.append("<h2>\(SVGText.escaped(heading))</h2>\n<div class=\"plots\">\n\(figures.joined())</div>\n")
    }

    /// The medians of all metrics, a row for each series, with the lowest and highest repetition on pointing at one.
    public mutating func addTable(of run: MeasuredRun) {
        let samples = run.samples
        var metrics: [String] = []
        var rows: [(series: MeasuredSeries, cells: [String: MetricSamples])] = []
        for sample in samples {
            if !metrics.contains(sample.metric) { metrics.append(sample.metric) }
            if rows.last?.series != sample.series { rows.append((sample.series, [:])) }
            rows[rows.count - 1].cells[sample.metric] = sample
        }
        guard !rows.isEmpty else { return }
        let head = (["what"] + metrics.map(MetricSamples.title))
            .map { "<th scope=\"col\">\(SVGText.escaped($0))</th>" }
        let names = rows.map { "\($0.series.scenario), \($0.series.load)" }
        // Most scenarios' names say their parameters.
        let areUnique = Set(names).count == names.count
        let lines = zip(rows, names).map { row, name in
            let cells = metrics.map { metric in row.cells[metric].map(Self.cell) ?? "<td>–</td>" }
            return
                "<tr><th scope=\"row\">\(SVGText.escaped(areUnique ? name : row.series.description))</th>\(cells.joined())</tr>\n"
        }
        sections.append(
            """
            <h2>Numbers</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Numbers"><table><thead><tr>\(head.joined())</tr></thead>
            <tbody>
            \(lines.joined())</tbody></table></div>
            <p class="note">Medians of the repetitions; latencies are quantiles of all repetitions together.</p>

            """)
    }

    private static func cell(_ samples: MetricSamples) -> String {
        let values = samples.values.map(\.value)
        guard let median = values.median, let low = values.min(), let high = values.max() else { return "<td>–</td>" }
        let texts = [samples.merged ?? median, low, high].map {
            SVGText.escaped(NumberText.value($0, unit: samples.unit))
        }
        return "<td title=\"\(values.count) repetitions, \(texts[1]) to \(texts[2])\">\(texts[0])</td>"
    }

    public var text: String {
        let list = facts.map {
            "<div><dt>\(SVGText.escaped($0.name))</dt><dd>\(SVGText.escaped($0.value))</dd></div>\n"
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="drbench">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <link rel="icon" href="data:,">
            <title>\(SVGText.escaped(title))</title>
            <style>
            \(Self.style)</style>
            </head>
            <body>
            <h1>\(SVGText.escaped(title))</h1>
            \(list.isEmpty ? "" : "<dl class=\"facts\">\n\(list.joined())</dl>\n")\(sections.joined())</body>
            </html>

            """
    }

    private static let style = """
        :root { --ground: #ffffff; --panel: #f5f7f9; --line: #d3dae1; --ink: #17212b; --soft: #52606d; --link: #0b57a4; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #11171d; --panel: #1a222b; --line: #33404c; --ink: #e4eaf0; --soft: #a3b1be; --link: #7cb8ff; }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2rem) 3rem; max-width: 76rem; background: var(--ground);
          color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif;
          overflow-wrap: anywhere; }
        :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: .25rem 0; }
        h2 { font-size: 1.25rem; margin: 2rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
        .facts { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; margin: .75rem 0; font-size: .9rem; }
        .facts div { display: flex; gap: .5rem; }
        dt, .note { color: var(--soft); }
        dd { margin: 0; min-width: 0; }
        .note { font-size: .9rem; }
        .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
        figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; background: var(--ground); }
        img { display: block; width: 100%; height: auto; max-width: 40rem; margin: 0 auto; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9rem; }
        th, td { text-align: right; padding: .28rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
        td { font-variant-numeric: tabular-nums; }
        thead th { color: var(--soft); font-weight: 600; white-space: normal; vertical-align: bottom; overflow-wrap: normal; }
        th:first-child { text-align: left; font-weight: 600; position: sticky; left: 0; background: var(--ground);
          white-space: normal; min-width: 9rem; }
        @media (max-width: 40rem) { th:first-child { font-size: .8rem; } }
        @media print { .scroll { overflow: visible; } figure, tr { break-inside: avoid; } h2 { break-after: avoid; } }

        """
}
