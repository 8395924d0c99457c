internal import Verdict

/// A whole page in one file: style and script are in it, and nothing is fetched from anywhere.
struct HTMLDocument {
    var title: String
    var body: Markup
    var script: [UInt8]
    /// What the script reads.
    var data: ScriptJSON?

    private static let style = String(decoding: PackageResources.page_css, as: UTF8.self)

    var text: String {
        let script = String(decoding: script, as: UTF8.self)
        // The policy makes the browser keep the promise.
        let document: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="drbench">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
            script-src 'unsafe-inline'; img-src data:">
            <link rel="icon" href="data:,">
            <title>\(title)</title>
            <style>
            \(Markup(verbatim: Self.style))</style>
            </head>
            <body>
            \(body)
            \(data.markup { "<script type=\"application/json\" id=\"data\">\(Markup(verbatim: $0.text))</script>\n" })\
            <script>
            \(Markup(verbatim: script))</script>
            </body>
            </html>

            """
        return document.text
    }
}

extension Verdict.Status {
    /// `PASS`, coloured by its class; the word says it, too.
    var badge: Markup { "<span class=\"badge \(rawValue)\">\(label)</span>" }
}

/// A table that scrolls by itself where the screen is narrow, and can be reached by the keyboard then.
func scrollingTable(_ label: String, head: [String], rows: [Markup], className: String = "") -> Markup {
    """
    <div class="scroll" tabindex="0" role="region" aria-label="\(label)"><table class="\(className)"><thead><tr>\
    \(head.map { "<th scope=\"col\">\($0)</th>" as Markup })</tr></thead><tbody>
    \(rows)</tbody></table></div>

    """
}
