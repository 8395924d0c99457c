import Foundation
import Lab
import Plan
import Testing

@testable import Engine

@Suite("What a guest's end means")
struct MeaningTests {
    private let request = RunRequest(
        plan: Plan(scenario: "s", settle: 0, snapshotLength: 64), directory: "/", seed: 1, timeLimit: 9)

    private func failure(_ end: BoundProcess.End, _ events: [LabEvent], console: String = "") -> String? {
        var stage = RunStage()
        for event in events { stage.note(event) }
        var text = ConsoleText()
        text.append(Array(console.utf8))
        return UMLEngine.failure(end, stage: stage, console: text, request, program: "/bin/drbench")?.description
    }

    private let started = LabEvent.started(kernel: "6.12")

    @Test("one that finished and ended did as it should")
    func good() {
        #expect(failure(.exited(0), [started, .step(0, name: "gets"), .finished]) == nil)
    }

    @Test("how far it had come is always said")
    func stages() {
        #expect(
            failure(.signalled(SIGKILL), [])
                == "ended early: the guest kernel was ended by SIGKILL, before drbench had started in it")
        #expect(
            failure(.signalled(SIGBUS), [started])
                == "ended early: the guest kernel was ended by SIGBUS, while its network was built")
        #expect(
            failure(.exited(0), [started, .step(0, name: "gets")])
                == "ended early: the guest switched itself off without a result, in step 'gets'")
        #expect(
            failure(.outOfTime, [started, .finished])
                == "hang: not finished after 9 s of wall-clock time, after its evidence was written")
        #expect(
            failure(.interrupted(SIGINT), [started, .step(0, name: "gets")])
                == "interrupted: drbench got SIGINT, in step 'gets'")
    }

    @Test("a panic is one even if it comes after the end of the run")
    func latePanic() {
        #expect(
            failure(.signalled(SIGABRT), [started, .finished], console: "BUG: scheduling while atomic: drbench/1/2\n")
                == "panic: scheduling while atomic: drbench/1/2, after its evidence was written")
    }

    @Test("standing still and running on in vain are both a virtual deadlock")
    func deadlocks() {
        let step = LabEvent.step(0, name: "gets")
        let expected = "virtual deadlock: "
        #expect(failure(.atRest, [started, step])?.hasPrefix(expected) == true)
        #expect(failure(.exited(1), [started, step, .clockRanOut(3600)])?.hasPrefix(expected) == true)
        let console = "Kernel panic - not syncing: The system was going to sleep forever, aborting\n"
        #expect(failure(.signalled(SIGABRT), [started, step], console: console)?.hasPrefix(expected) == true)
    }

    @Test("a plan's limit in virtual time exceeds all its own limits and pauses")
    func limit() {
        var plan = Plan(scenario: "s", settle: 2_000_000_000, snapshotLength: 64)
        #expect(plan.virtualTimeLimit == 3602)
        plan.steps = [
            .init(name: "w", action: .wait(900_000_000_000)),
            .init(name: "r", action: .run(namespace: "a", arguments: ["true"], mayFail: false)),
            .init(name: "u", action: .use(connection: "c", bytes: 1, timeout: 5_000_000_000)),
        ]
        #expect(plan.virtualTimeLimit == 3602 + 900 + 3600 + 5)
    }

    @Test(
        "an order to PID 1 survives the kernel's command line",
        arguments: [
            Guest.Order(folder: "/tmp/a b\"c/ü", virtual: .init(seed: .max, timeLimit: 3600)),
            Guest.Order(folder: "/o", virtual: nil),
            Guest.Order(folder: "/o", first: "a/b", virtual: nil),
        ])
    func order(_ order: Guest.Order) {
        #expect(Guest.Order(order.text) == order)
        #expect(order.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") })
    }

    @Test("a garbled order is none", arguments: ["", ":", "2f", "2", "zz", "2f:1", "2f:1:0", "2f:x:9", "2f:1:9:9"])
    func garbled(_ text: String) {
        // "2f" is "/", in real time.
        #expect((Guest.Order(text) != nil) == (text == "2f"))
    }

    @Test("a console that never ends keeps its beginning and its end")
    func longConsole() {
        var console = ConsoleText(room: 100)
        console.append(Array("first\n".utf8))
        for number in 0..<100 { console.append(Array("line \(number)\n".utf8)) }
        let text = String(decoding: console.bytes, as: UTF8.self)
        #expect(text.hasPrefix("first\nline 0\n"))
        #expect(text.hasSuffix("line 99\n"))
        #expect(text.contains(" bytes left out]"))
        #expect(text.utf8.count < 400)
        #expect(console.tail(2) == ["line 98", "line 99"])
    }

    @Test("where a guest's memory could lie is judged by what a guest does there")
    func memory() throws {
        #expect(GuestMemory.obstacle(to: "/proc/nothing", mebibytes: 1) == "does not exist")
        #expect(GuestMemory.obstacle(to: "/tmp", mebibytes: 1) == nil)
        #expect(GuestMemory.obstacle(to: "/tmp", mebibytes: 1 << 40)?.hasPrefix("has only ") == true)
    }
}
