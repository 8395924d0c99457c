internal import CLinux
internal import Glibc
internal import Kernel

/// What is ready of many descriptors, by epoll(7). Belongs to one thread.
struct Poller: ~Copyable {
    /// Not too many: the clock may have been read before all of them.
    private static let capacity = 256

    let descriptor: Int32
    private let ready = UnsafeMutablePointer<drb_ready>.allocate(capacity: capacity)

    /// Errors: EMFILE.
    init() throws(KernelError) {
        descriptor = drb_poller()
        guard descriptor >= 0 else { throw KernelError("make an epoll instance", code: errno) }
    }

    deinit {
        close(descriptor)
        ready.deallocate()
    }

    /// Watches a descriptor until it is closed: what changes, both ways (`edges`), or that there is something to read.
    /// - Returns: whether that was possible; errno says why not.
    func watch(_ file: Int32, token: UInt64, edges: Bool) -> Bool {
        drb_watch(descriptor, file, token, edges ? 1 : 0) == 0
    }

    /// Waits until something is ready, or so long; for ever with nil.
    func wait(atMost nanoseconds: Int64?) -> UnsafeBufferPointer<drb_ready> {
        let count = drb_await(descriptor, ready, Int32(Self.capacity), nanoseconds ?? -1)
        return UnsafeBufferPointer(start: ready, count: max(0, Int(count)))
    }
}

extension drb_ready {
    var isReadable: Bool { events & UInt32(drb_readable) != 0 }
    var isWritable: Bool { events & UInt32(drb_writable) != 0 }
    var isBroken: Bool { events & UInt32(drb_broken) != 0 }
    var isHungUp: Bool { events & UInt32(drb_hung_up | drb_broken) != 0 }
}

/// First in, first out, without moving what is in it.
struct Queue<Element> {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head]
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 4096, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
