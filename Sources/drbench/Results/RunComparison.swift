import Capture
import Engine
import Kernel

/// Compares what two runs of one scenario left.
enum RunComparison {
    /// Where the first difference is: a file and the line, frame or byte; nil if they are the same to the byte.
    /// - Throws: `FileError` if a file cannot be read.
    static func firstDifference(_ first: Folder, _ second: Folder) throws(FileError) -> String? {
        for (name, limit) in [(RunFiles.evidence, ReadLimit.evidence), (RunFiles.capture, ReadLimit.capture)] {
            let one = try first.read(name, limit: limit) ?? []
            let other = try second.read(name, limit: limit) ?? []
            guard one != other else { continue }
            let offset = zip(one, other).enumerated().first { $1.0 != $1.1 }?.offset ?? min(one.count, other.count)
            guard name == RunFiles.evidence else {
                return "\(name) \(differentFrame(one, other) ?? "from byte \(offset) on"), see \(second.path)"
            }
            let line = one.prefix(offset).count { $0 == 0x0A }
            func text(_ bytes: [UInt8]) -> String {
                let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                return line < lines.count ? String(decoding: lines[line], as: UTF8.self) : "nothing"
            }
            return "\(name) line \(line + 1): '\(text(one))' and then '\(text(other))', see \(second.path)"
        }
        return nil
    }

    /// The first frame that is not the same in two capture files, by its number in Wireshark; nil if it is not the frames
    /// that differ.
    private static func differentFrame(_ first: [UInt8], _ second: [UInt8]) -> String? {
        let (one, other) = (PcapNGReader.read(first), PcapNGReader.read(second))
        let index =
            zip(one.frames, other.frames).enumerated().first { $1.0 != $1.1 }?.offset
            ?? min(one.frames.count, other.frames.count)
        let frame = [one, other].compactMap { file in
            file.frames.indices.contains(index) ? (file.frames[index].port, file.ports) : nil
        }.first
        guard let (port, ports) = frame, ports.indices.contains(port) else { return nil }
        return "frame \(index + 1), at \(ports[port].name)"
    }
}
