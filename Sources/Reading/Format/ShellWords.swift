internal import Scenario

/// Splits a command as a shell splits words: quotes and backslashes, nothing else.
enum ShellWords {
    enum Failure: Error, Equatable {
        case unclosedQuote(Character)
        /// What a shell would do something with, and no shell is there.
        case special(Character)
    }

    static func split(_ command: String) throws(Failure) -> [String] {
        var words: [String] = []
        var word = ""
        var inWord = false
        var quote: Character?
        var escaped = false
        for character in command {
            if escaped {
                // In double quotes a backslash stands for itself before all but these (POSIX shell, 2.2.3).
                if quote == "\"", !"\"\\$`".contains(character) { word.append("\\") }
                word.append(character)
                escaped = false
            } else if character == "\\", quote != "'" {
                escaped = true
                inWord = true
            } else if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", "$`".contains(character) {
                    throw .special(character)
                } else {
                    word.append(character)
                }
            } else if character == "\"" || character == "'" {
                quote = character
                inWord = true
            } else if character.isWhitespace {
                if inWord { words.append(word) }
                word = ""
                inWord = false
            } else if "|&;<>$`".contains(character) {
                throw .special(character)
            } else {
                word.append(character)
                inWord = true
            }
        }
        if let quote { throw .unclosedQuote(quote) }
        if escaped { word.append("\\") }
        if inWord { words.append(word) }
        return words
    }
}
