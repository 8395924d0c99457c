import Testing
import Text

@Suite("Text from outside on its way to a terminal")
struct PrintableTests {
    @Test(
        "what moves a cursor, turns other text around or is not seen is shown by its code point",
        arguments: [
            ("\u{1B}[2J", "<U+001B>[2J"), ("a\rb", "a<U+000D>b"), ("a\nb", "a<U+000A>b"), ("\r\n", "<U+000D><U+000A>"),
            ("\u{07}\u{08}\u{7F}", "<U+0007><U+0008><U+007F>"), ("\u{9B}31m", "<U+009B>31m"), ("\0", "<U+0000>"),
            ("\u{85}", "<U+0085>"), ("\u{2028}\u{2029}", "<U+2028><U+2029>"),
            ("\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}", "<U+202A><U+202B><U+202C><U+202D><U+202E>"),
            ("\u{2066}\u{2067}\u{2068}\u{2069}", "<U+2066><U+2067><U+2068><U+2069>"),
            ("\u{200E}\u{200F}\u{61C}", "<U+200E><U+200F><U+061C>"),
            ("\u{200B}\u{200C}\u{200D}\u{2060}\u{FEFF}", "<U+200B><U+200C><U+200D><U+2060><U+FEFF>"),
            ("a\u{AD}b", "a<U+00AD>b"), ("\u{E0041}\u{E0001}", "<U+E0041><U+E0001>"), ("\u{E000}", "<U+E000>"),
            ("\u{3164}\u{115F}", "<U+3164><U+115F>"), ("\u{FFFE}", "<U+FFFE>"), ("\u{10FFFF}", "<U+10FFFF>"),
            ("\u{FFF9}", "<U+FFF9>"), ("\u{E0100}", "<U+E0100>"),
        ])
    func escapes(text: String, shown: String) {
        #expect(text.printable == shown)
        #expect(text.printable.unicodeScalars.allSatisfy { $0.isPrintable })
    }

    @Test(
        "what people write stays as it is",
        arguments: ["SYN_SENT → rs1", "naïve Größe", "الموازن", "中文 ３", "a\tb", "⚠️ 100 %", "•–…", "e\u{301}", ""])
    func keeps(text: String) { #expect(text.printable == text) }

    @Test("bytes that are not UTF-8 are shown one by one, and what is around them stays")
    func bytes() {
        #expect(String(printing: [0x63, 0xE9, 0x62]) == "c<E9>b")
        #expect(String(printing: Array("größe".utf8) + [0xFF, 0x0A]) == "größe<FF><U+000A>")
        #expect(String(printing: [0xE2, 0x80]) == "<E2><80>")
        #expect(String(escapingInvalid: [0x61, 0x0A, 0xC3]) == "a\n<C3>")
    }
}

@Suite("The last gate before a terminal")
struct OutgoingTests {
    private func filtered(_ text: String, as kind: Outgoing.Kind = .text) -> String {
        var outgoing = Outgoing()
        return outgoing.filtered(text, as: kind)
    }

    @Test("drbench's colours and its progress pass, other sequences do not")
    func sequences() {
        let own = "\u{1B}[32mPASS\u{1B}[0m\n\r\u{1B}[K[1/2] running\n"
        #expect(filtered(own, as: .coloured) == own)
        #expect(filtered(own) == "<U+001B>[32mPASS<U+001B>[0m\n<U+000D><U+001B>[K[1/2] running\n")
        #expect(filtered("\u{1B}[2J\u{1B}]0;x\u{07}\r.", as: .coloured) == "<U+001B>[2J<U+001B>]0;x<U+0007><U+000D>.")
        #expect(filtered("\u{1B}[1;1H\u{9B}2J\u{202E}", as: .coloured) == "<U+001B>[1;1H<U+009B>2J<U+202E>")
    }

    @Test(
        "no line begins with a workflow command",
        arguments: [
            ("::error::x\n", "\\::error::x\n"), ("a\n  ::warning::x", "a\n  \\::warning::x"),
            ("é\n\u{3000}::debug::é", "é\n\u{3000}\\::debug::é"), ("a ##[error]x", "a \\##[error]x"),
            ("é ##[error]x", "é \\##[error]x"), ("###[a]", "#\\##[a]"),
            ("\t::stop-commands::x", "\t\\::stop-commands::x"),
        ])
    func commands(text: String, shown: String) { #expect(filtered(text) == shown) }

    @Test("addresses and headings stay", arguments: ["on ::1\n", "# [a]\n## b\n", "a::b é::c", "a: b\n:c\n"])
    func plain(text: String) { #expect(filtered(text) == text) }

    @Test("a line that comes in parts is one line")
    func parts() {
        var outgoing = Outgoing()
        #expect(outgoing.filtered("host ") == "host ")
        #expect(outgoing.filtered("::1\n") == "::1\n")
        #expect(outgoing.filtered("::1\n") == "\\::1\n")
    }

    @Test("annotations are commands, and nothing else in them is")
    func annotations() {
        #expect(filtered("::error title=a::b\u{1B}\n", as: .workflowCommands) == "::error title=a::b<U+001B>\n")
        #expect(filtered("::error::##[x]\n", as: .workflowCommands) == "::error::\\##[x]\n")
    }

    @Test("JSON stays JSON with the same text in it")
    func json() {
        #expect(filtered("[\"\u{202E}\u{9B}\u{E0001}\"]\n", as: .json) == "[\"\\u202e\\u009b\\udb40\\udc01\"]\n")
        #expect(filtered("[\"##[error]é\"]", as: .json) == "[\"\\u0023#[error]é\"]")
        #expect(filtered("[\"##[error]\"]", as: .json) == "[\"\\u0023#[error]\"]")
    }
}
