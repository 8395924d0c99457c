internal import Verdict

/// All runs of one invocation as a page in one file, with filters, and a link to each run's own page.
public struct OverviewPage {
    private let result: RunResult
    private let pages: Set<String>

    /// - Parameter pages: the directories of the runs that have a page (`ScenarioPage.fileName`) of their own.
    public init(_ result: RunResult, pages: Set<String>) {
        self.result = result
        self.pages = pages
    }

    public var html: String {
        let totals = result.totals
        let counts = [
            (Verdict.Status.failed, totals.failed), (.error, totals.errors), (.skipped, totals.skipped),
            (.passed, totals.passed),
        ]
        var seen: Set<String> = []
        let suites = result.runs.map(\.suite).filter { seen.insert($0).inserted }
        let worst = counts.first { $0.1 > 0 }?.0 ?? .passed
        let body: Markup = """
            <a class="skip" href="#main">To the content</a>
            <header class="top">
            <h1>\((result.succeeded ? Verdict.Status.passed : worst).badge) drbench</h1>
            <p class="title">\(totals.passed) passed, \(totals.failed + totals.errors) failed, \(totals.skipped) skipped</p>
            <dl class="facts"><div><dt>engine</dt><dd>\(result.engine)</dd></div>\
            \(result.seed.markup { "<div><dt>seed</dt><dd>\($0)</dd></div>" })\
            \(result.timing.markup { "<div><dt>took</dt><dd>\($0.wall.roundedSeconds) s</dd></div>" })\
            <div><dt>files</dt><dd><a href="results.json">results.json</a> <a href="junit.xml">junit.xml</a></dd></div></dl>
            </header>
            <main id="main">
            <form class="filters" id="filters" role="search">
            <fieldset><legend>Verdict</legend>\(counts.filter { $0.1 > 0 }.map(checkbox))</fieldset>
            <p><label for="suite">Theme</label> <select id="suite"><option value="">all</option>\
            \(suites.map { "<option>\($0)</option>" as Markup })</select></p>
            <p><label for="text">Text</label> <input type="search" id="text" autocomplete="off" spellcheck="false"></p>
            <p><output id="shown" for="suite text" aria-live="polite">\(result.runs.count) runs</output></p>
            </form>
            \(scrollingTable("Runs", head: ["verdict", "theme", "scenario", "what it shows"] + (result.timing == nil ? [] : ["took"]), rows: result.runs.map(row), className: "runs"))\
            <p class="note" id="none" hidden>No run fits the filters.</p>
            </main>
            <footer><p>Written by drbench.</p></footer>
            """
        return HTMLDocument(
            title: "drbench: \(totals.passed) passed, \(totals.failed + totals.errors) failed", body: body,
            script: PackageResources.overview_js
        ).text
    }

    private func checkbox(_ status: Verdict.Status, _ count: Int) -> Markup {
        """
        <label class="check"><input type="checkbox" name="status" value="\(status.rawValue)" checked> \
        \(status.badge) \(count)</label>
        """
    }

    private func row(_ run: ScenarioRun) -> Markup {
        let verdict = run.verdict
        let page = run.directory.flatMap { pages.contains($0) ? "\($0)/\(ScenarioPage.fileName)" : nil }
        let name: Markup = "<span class=\"name\">\(verdict.scenario)</span>"
        return """
            <tr data-status="\(verdict.status.rawValue)" data-suite="\(run.suite)"><td>\(verdict.status.badge)</td>\
            <td>\(run.suite)</td><td>\(page.map { "<a href=\"\($0.percentEncodedPath)\">\(name)</a>" as Markup } ?? name)</td>\
            <td>\(verdict.title)\
            \(.when(verdict.status != .passed, "<br><span class=\"why\">\(verdict.reason)</span>"))</td>\
            \(.when(result.timing != nil, "<td class=\"num\">\(run.timing.markup { "\($0.wall.roundedSeconds) s" })</td>"))</tr>

            """
    }
}

extension ScenarioPage {
    /// What its file is called, in the run's folder.
    public static let fileName = "report.html"
}

extension OverviewPage {
    /// What its file is called, in the folder of all runs.
    public static let fileName = "index.html"
}
