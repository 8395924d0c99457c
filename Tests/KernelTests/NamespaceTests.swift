import Glibc
import Synchronization
import Testing

@testable import Kernel

@Suite("Network namespaces", .serialized, .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
struct NamespaceTests {
    @Test("a new namespace has a loopback, and no link that is up")
    func newNamespace() throws {
        let links = try RouteNetlink(in: .create(named: "a")).links()
        let loopback = try #require(links.first)
        #expect(loopback.name == "lo")
        #expect(loopback.index == 1)
        #expect(loopback.mac == nil)
        #expect(links.allSatisfy { !$0.isUp })
    }

    @Test("two namespaces differ, from each other and from the process's own")
    func distinct() throws {
        func identity(_ namespace: NetworkNamespace) throws -> UInt64 {
            var status = stat()
            try #require(fstat(namespace.fileDescriptor, &status) == 0)
            return UInt64(status.st_ino)
        }
        let own = try NetworkNamespace.current(named: "own")
        let (a, b) = (try NetworkNamespace.create(named: "a"), try NetworkNamespace.create(named: "b"))
        var process = stat()
        try #require(stat("/proc/self/ns/net", &process) == 0)
        #expect(try identity(own) == UInt64(process.st_ino))
        #expect(try Set([identity(own), identity(a), identity(b)]).count == 3)
    }

    private func here() throws -> UInt64 {
        var status = stat()
        try #require(stat("/proc/thread-self/ns/net", &status) == 0)
        return UInt64(status.st_ino)
    }

    @Test("what runs in a namespace runs on the calling thread, which is back where it was afterwards, errors or not")
    func thereAndBack() throws {
        let (a, b) = (try NetworkNamespace.create(named: "a"), try NetworkNamespace.create(named: "b"))
        let home = try here()
        let inA = try a.run { try here() }
        let thread = UInt64(pthread_self())
        #expect(try a.run { UInt64(pthread_self()) } == thread)
        #expect(inA != home)
        #expect(try here() == home)
        // Within one another, and from one into itself.
        let (inner, after) = try a.run { (try b.run { try a.run { try b.run { try here() } } }, try here()) }
        #expect(inner != inA && inner != home)
        #expect(after == inA)
        #expect(throws: KernelError.self) { try a.run { try b.run { throw KernelError("try", code: EBUSY) } } }
        #expect(try here() == home)
        // A namespace that is made within another leaves the thread there.
        #expect(try a.run { (try NetworkNamespace.create(named: "c"), try here()) }.1 == inA)
    }

    @Test("many threads are in many namespaces at the same time, and none in another's")
    func manyCallers() async throws {
        let namespaces = try (0..<4).map { try NetworkNamespace.create(named: "\($0)") }
        for (index, namespace) in namespaces.enumerated() {
            try RouteNetlink(in: namespace).perform(.addVeth(.init(name: "d\(index)", peer: .init(name: "peer"))))
        }
        let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try namespaces[number % 4].run {
                        if_nametoindex("d\(number % 4)") == 0 || if_nametoindex("d\((number + 1) % 4)") != 0
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
    }

    @Test("several that are made at once have their names in order, and are not the same")
    func madeAtOnce() throws {
        let names = (1...20).map { "rs\($0)" }
        let namespaces = try NetworkNamespace.create(named: names)
        #expect(namespaces.map(\.name) == names)
        #expect(try Set(namespaces.map { try $0.run(here) }).count == 20)
        #expect(try !namespaces.map { try $0.run(here) }.contains(here()))
    }

    @Test("what is to be done in several namespaces is done in them at the same time")
    func allAtOnce() throws {
        let namespaces = try ["a", "b", "c"].map { try NetworkNamespace.create(named: $0) }
        // Nobody gets through until all have come: one after another they would wait for ever.
        var gate = pthread_barrier_t()
        pthread_barrier_init(&gate, nil, 3)
        defer { pthread_barrier_destroy(&gate) }
        let threads = Mutex([UInt64]())
        try withUnsafeMutablePointer(to: &gate) { gate in
            let gate = UInt(bitPattern: gate)
            try NetworkNamespace.runAll(
                namespaces.map { namespace in
                    (
                        namespace,
                        {
                            if let gate = UnsafeMutablePointer<pthread_barrier_t>(bitPattern: gate) {
                                pthread_barrier_wait(gate)
                            }
                            threads.withLock { $0.append(UInt64(pthread_self())) }
                        }
                    )
                })
        }
        #expect(Set(threads.withLock { $0 }).count == 3)
    }

    @Test("of errors in several namespaces the first one's reaches the caller, and all others have come to their end")
    func errorsAtOnce() throws {
        let namespaces = try ["a", "b", "c"].map { try NetworkNamespace.create(named: $0) }
        let ended = Mutex(0)
        #expect(throws: KernelError("b", code: EBUSY)) {
            try NetworkNamespace.runAll(
                namespaces.map { namespace in
                    (
                        namespace,
                        {
                            defer { ended.withLock { $0 += 1 } }
                            if namespace.name != "a" { throw KernelError(namespace.name, code: EBUSY) }
                        }
                    )
                })
        }
        #expect(ended.withLock { $0 } == 3)
    }

    @Test("an error thrown in the namespace reaches the caller as it is")
    func errors() throws {
        let namespace = try NetworkNamespace.create(named: "a")
        #expect(throws: KernelError("try", code: EBUSY)) {
            try namespace.run { throw KernelError("try", code: EBUSY) }
        }
    }

    @Test("a socket that does not exist is an error with the namespace's name")
    func badSocket() throws {
        let namespace = try NetworkNamespace.create(named: "lb")
        let error = #expect(throws: KernelError.self) { try namespace.openSocket(domain: 999, type: 1, protocol: 0) }
        #expect(
            error?.description
                == "lb: open a socket: EAFNOSUPPORT (Address family not supported by protocol)")
    }

    @Test("a closed namespace runs nothing")
    func closed() throws {
        let namespace = try NetworkNamespace.create(named: "a")
        namespace.close()
        namespace.close()
        #expect(throws: KernelError("enter a closed namespace", code: ESHUTDOWN, namespace: "a")) {
            try namespace.run {}
        }
        let error = #expect(throws: KernelError.self) {
            try namespace.openSocket(domain: AF_INET, type: 1, protocol: 0)
        }
        #expect(error?.namespace == "a")
    }

    @Test("the namespace ends with its holder: the far end of its veth pair disappears")
    func endsWithHolder() throws {
        let a = try NetworkNamespace.create(named: "a")
        let netlink = try RouteNetlink(in: a)
        do {
            let b = try NetworkNamespace.create(named: "b")
            try netlink.perform(.addVeth(.init(name: "v", peer: .init(name: "w", namespace: b.descriptor))))
            #expect(try netlink.links().contains { $0.name == "v" })
            // A program of the namespace is gone before it is closed; nothing else holds it.
            #expect(try b.output("ip", "-o", "link", "show", "w").contains("w@"))
            b.close()
        }
        // The kernel takes a namespace down in a work queue, so wait for the link's end, which has no event to wait for
        // on a socket that is not subscribed to any.
        var attempts = 0
        while try netlink.links().contains(where: { $0.name == "v" }), attempts < 100_000 { attempts += 1 }
        #expect(try !netlink.links().contains { $0.name == "v" })
    }
}
