internal import CLinux
internal import Evidence
internal import Glibc
internal import Kernel

/// A load's requests and their answers, once a connection is there.
extension HTTPLoad {
    mutating func startSending(_ slot: Int32) {
        slots[Int(slot)].stage = .sending
        slots[Int(slot)].unsent = headLength + order.request
        send(slot)
    }

    mutating func send(_ slot: Int32) {
        let index = Int(slot)
        let whole = headLength + order.request
        while slots[index].unsent > 0 {
            let done = whole - slots[index].unsent
            // Beyond the prepared part the body goes on with what is behind the head, over and over.
            let from = done < message.count ? done : headLength
            let wanted = min(slots[index].unsent, message.count - from)
            let part = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(message)[from..<from + wanted])
            let count = drb_send(slots[index].file, part.baseAddress, wanted, 0)
            guard count >= 0 else {
                if errno == EAGAIN { return }
                // A server that has answered and closed is heard before it is blamed.
                return fail(slot, Failure(errno: errno, connected: true))
            }
            slots[index].unsent -= count
            tally.sent(count, at: now)
        }
        slots[index].stage = .waiting
    }

    mutating func receive(_ slot: Int32, untilEnd: Bool) {
        let index = Int(slot)
        while true {
            let discards = slots[index].stage == .receiving && slots[index].remaining >= Self.worthDiscarding
            let wanted = discards ? slots[index].remaining : Self.bufferSize
            let count =
                discards
                ? drb_discard(slots[index].file, wanted) : drb_receive_some(slots[index].file, buffer, wanted)
            guard count > 0 else {
                if count == 0 { return fail(slot, .closedEarly) }
                if errno == EAGAIN { return }
                return fail(slot, Failure(errno: errno, connected: true))
            }
            tally.received(count, at: now)
            if slots[index].stage == .receiving {
                slots[index].remaining -= count
            } else {
                guard read(slot, UnsafeBufferPointer(start: buffer, count: count)) else { return }
            }
            if slots[index].stage == .receiving, slots[index].remaining <= 0 { return finish(slot) }
            // A short read emptied the socket's queue, unless its end stands behind.
            if count < wanted, !untilEnd { return }
        }
    }

    /// Reads the answer's head. Returns whether the connection is still good.
    private mutating func read(_ slot: Int32, _ octets: UnsafeBufferPointer<UInt8>) -> Bool {
        let index = Int(slot)
        let earlier = partialHeads.isEmpty ? nil : partialHeads.removeValue(forKey: slot)
        let whole = earlier.map { $0 + octets }
        let available = whole?.count ?? octets.count
        let head = whole.map { $0.withUnsafeBufferPointer { MessageHead($0) } } ?? MessageHead(octets)
        guard let head else {
            guard available <= Self.bufferSize else {
                end(slot, "no end of the head")
                return false
            }
            partialHeads[slot] = whole ?? Array(octets)
            return true
        }
        guard head.status == 200, !head.isChunked else {
            end(slot, head.isChunked ? "an answer in chunks" : "HTTP \(head.status)")
            return false
        }
        slots[index].closes = head.closes || !order.keepAlive
        slots[index].remaining = head.body - (available - head.length)
        slots[index].stage = .receiving
        return true
    }

    private mutating func finish(_ slot: Int32) {
        let index = Int(slot)
        if !order.isVirtual {
            now = clock()
        } else if schedule == nil {
            problem = timeless.answered(planned: slots[index].planned, at: now, of: order)
        }
        tally.answered(planned: slots[index].planned, at: now)
        slots[index].isTaken = false
        taken -= 1
        if slots[index].closes { shut(slot) } else { slots[index].stage = .ready }
        free.append(slot)
    }
}
