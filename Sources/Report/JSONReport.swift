internal import FoundationEssentials

/// `results.json`: the model itself, with sorted keys.
func jsonReport(_ result: RunResult) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(result), as: UTF8.self) + "\n"
}
