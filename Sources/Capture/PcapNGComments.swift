/// Adds comments to the frames of a pcapng file: everything else stays as it is, octet by octet.
public enum PcapNGComments {
    /// The file with comments behind its frames' other options.
    ///
    /// - Parameters:
    ///   - octets: a little-endian file with enhanced packet blocks only, such as drbench writes. What else is in it, and
    ///     what is damaged, is left as it is.
    ///   - comments: by a frame's index in the file, counting from 0.
    public static func added(_ comments: [Int: String], to octets: [UInt8]) -> [UInt8] {
        guard !comments.isEmpty else { return octets }
        var result: [UInt8] = []
        result.reserveCapacity(octets.count + comments.values.reduce(0) { $0 + $1.utf8.count + 16 })
        octets.withUnsafeBytes { file in
            func number(_ offset: Int) -> UInt32 {
                UInt32(littleEndian: file.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            }
            // What was not copied yet begins here.
            var start = 0
            var offset = 0
            var frame = 0
            while file.count - offset >= 12 {
                let length = Int(number(offset + 4))
                guard length >= 12, length <= file.count - offset else { break }
                if number(offset) == PcapNG.Block.enhancedPacket, length >= 32 {
                    if let comment = comments[frame] {
                        result.append(contentsOf: file[start..<offset])
                        let captured = Int(number(offset + 20))
                        append(
                            comment, toBlock: file[offset..<offset + length],
                            options: offset + 28 + captured + (-captured & 3), &result)
                        start = offset + length
                    }
                    frame += 1
                }
                offset += length
            }
            result.append(contentsOf: file[start...])
        }
        return result
    }

    /// - Parameter options: where the block's options begin in the file, if there are any.
    private static func append(
        _ comment: String, toBlock block: Slice<UnsafeRawBufferPointer>, options: Int, _ result: inout [UInt8]
    ) {
        let start = result.count
        guard options <= block.endIndex - 4 else {
            result.append(contentsOf: block)
            return
        }
        // A comment may stand in front of other options; they and the end of options stay behind it.
        result.append(contentsOf: block[..<options])
        let text = comment.utf8.prefix(Int(UInt16.max))
        result.append(little: PcapNG.Option.comment)
        result.append(little: UInt16(text.count))
        result.append(contentsOf: text)
        result.append(contentsOf: repeatElement(0, count: -text.count & 3))
        let rest = block[options..<block.endIndex - 4]
        result.append(contentsOf: rest)
        if rest.isEmpty { result.append(little: UInt32(0)) }
        let length = UInt32(result.count - start + 4)
        result.append(little: length)
        for index in 0..<4 { result[start + 4 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    }
}
