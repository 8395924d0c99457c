internal import CLinux
internal import Glibc

/// What is to be written to a descriptor that does not block, in order.
struct Outbox {
    private var octets: [UInt8] = []
    /// How many of them are written.
    private var done = 0

    var isEmpty: Bool { done == octets.count }

    mutating func add(_ more: some Sequence<UInt8>) { octets += more }

    /// Writes what fits, and no more than so many octets. The count, or nil if nobody will ever read it.
    mutating func flush(to descriptor: Int32, isSocket: Bool = false, atMost limit: Int = .max) -> Int? {
        let before = done
        while !isEmpty, done - before < limit {
            let count = octets[done...].prefix(limit - (done - before)).withUnsafeBytes {
                if isSocket { return drb_door_send(descriptor, $0.baseAddress, UInt($0.count)) }
                let count = write(descriptor, $0.baseAddress, $0.count)
                return count < 0 ? -Int(errno) : count
            }
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) { break }
            guard count > 0 else { return nil }
            done += count
        }
        let written = done - before
        // Seldom, so that each octet is moved about once.
        if isEmpty || done > 1 << 16 {
            octets.removeFirst(done)
            done = 0
        }
        return written
    }
}

/// What one read from a descriptor gives.
enum Reading {
    case octets([UInt8])
    /// Nothing just now.
    case nothing
    /// Never again anything; a terminal's master says EIO once nobody has its other side open.
    case end

    init(_ descriptor: Int32, atMost limit: Int) {
        var code: Int32 = 0
        let octets = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var got: Int
            repeat { got = read(descriptor, buffer.baseAddress, limit) } while got < 0 && errno == EINTR
            code = got < 0 ? errno : 0
            count = max(0, got)
        }
        self = octets.isEmpty ? (code == EAGAIN ? .nothing : .end) : .octets(octets)
    }
}

/// poll(2) with the descriptors' answers by descriptor.
struct Polled {
    private var entries: [pollfd] = []

    /// A negative descriptor is passed over.
    mutating func add(_ descriptor: Int32, reading: Bool = true, writing: Bool = false) {
        guard descriptor >= 0, reading || writing else { return }
        let events = (reading ? POLLIN : 0) | (writing ? POLLOUT : 0)
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    /// Waits; -1 milliseconds is for ever. Whether anything happened.
    mutating func wait(milliseconds: Int32 = -1) -> Bool {
        poll(&entries, nfds_t(entries.count), milliseconds) > 0
    }

    /// Whether there is something to read, or an end to be noticed.
    func isReadable(_ descriptor: Int32) -> Bool { has(descriptor, POLLIN | POLLHUP | POLLERR) }
    func isWritable(_ descriptor: Int32) -> Bool { has(descriptor, POLLOUT | POLLHUP | POLLERR) }

    private func has(_ descriptor: Int32, _ events: Int32) -> Bool {
        entries.contains { $0.fd == descriptor && $0.revents & Int16(events) != 0 }
    }
}

/// Calls `body` with C's idea of a list of strings, ended by NULL.
func withStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}
