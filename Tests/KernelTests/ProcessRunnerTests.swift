import Evidence
import Glibc
import Testing

@testable import Kernel

@Suite("Programs in a namespace", .enabled(if: Machine.mayCreateNamespaces, Machine.needsRoot))
struct ProcessRunnerTests {
    let namespace: NetworkNamespace

    init() throws {
        namespace = try NetworkNamespace.create(named: "rs1")
    }

    private func shell(_ script: String, input: String? = nil, timeLimit: Int64? = nil) throws -> ProcessResult {
        try ProcessRunner.run(["sh", "-c", script], in: namespace, input: input, timeLimit: timeLimit)
    }

    @Test("a program sees the namespace, not the process's own")
    func namespaceOfChild() throws {
        var status = stat()
        try #require(fstat(namespace.fileDescriptor, &status) == 0)
        #expect(try shell("readlink /proc/self/ns/net").output == "net:[\(status.st_ino)]\n")
    }

    @Test("output, errors and exit status are kept apart")
    func result() throws {
        let result = try shell("echo out; echo err >&2; exit 3")
        #expect(
            result
                == ProcessResult(
                    arguments: ["sh", "-c", "echo out; echo err >&2; exit 3"], ending: .exited(3), output: "out\n",
                    errors: "err\n", timedOut: false))
        #expect(result.record.status == 3)
        #expect(!result.succeeded)
    }

    @Test("a signal is told from an exit status")
    func signal() throws {
        let result = try shell("kill -9 $$")
        #expect(result.ending == .signalled(SIGKILL))
        #expect(result.record.status == -SIGKILL)
    }

    @Test("one that was started can be waited for, and killed")
    func started() throws {
        let process = try ProcessRunner.start(
            ["sh", "-c", "read line; echo $line; exit 2"], in: namespace, input: "a\n")
        let result = try process.finish()
        #expect(result.ending == .exited(2))
        #expect(result.output == "a\n")
        let stubborn = try ProcessRunner.start(["sh", "-c", "trap '' TERM; while :; do sleep 10; done"], in: namespace)
        #expect(try stubborn.kill().ending == .signalled(SIGKILL))
        #expect(!stubborn.isRunning)
    }

    @Test("input of any length is read from its start, and none is /dev/null")
    func input() throws {
        let text = String(repeating: "0123456789abcdef\n", count: 20_000)
        let result = try shell("cat", input: text)
        #expect(result.output == text)
        #expect(try shell("cat").output == "")
        // A program that does not read its input does no harm.
        #expect(try shell("true", input: text).succeeded)
    }

    @Test("much output on both streams at once does not block")
    func bothStreams() throws {
        let result = try shell("head -c 1000000 /dev/zero | tee /proc/self/fd/2")
        #expect(result.output.utf8.count == 1_000_000)
        #expect(result.errors.utf8.count == 1_000_000)
    }

    @Test("a script may open its output by name, as /dev/stdout does")
    func reopened() throws {
        let result = try shell("echo a; echo b > /proc/self/fd/1; echo c; echo d > /proc/self/fd/2; echo e >&2")
        #expect(result.output == "a\nb\nc\n")
        #expect(result.errors == "d\ne\n")
    }

    @Test("the environment is fixed")
    func environment() throws {
        let lines = try ProcessRunner.run(["env"], in: namespace).output.split(separator: "\n").sorted()
        #expect(
            lines == ["HOME=/", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
    }

    @Test("a program gets the standard descriptors alone, and default signals")
    func descriptorsAndSignals() throws {
        // One that is not close-on-exec, as a library might leave it.
        let leaky = open("/dev/null", O_RDONLY)
        defer { close(leaky) }
        let before = Glibc.signal(SIGPIPE, SIG_IGN)
        defer { _ = Glibc.signal(SIGPIPE, before) }
        // ls has one more, of the directory that it reads.
        #expect(try ProcessRunner.run(["ls", "/proc/self/fd"], in: namespace).output == "0\n1\n2\n3\n")
        #expect(try shell("grep SigBlk: /proc/self/status").output == "SigBlk:\t0000000000000000\n")
        // Whoever started the tests may have left 32 and 33, which are glibc's own, ignored.
        let mask = try shell("grep SigIgn: /proc/self/status").output.split(separator: "\t").last?.dropLast()
        let ignored = try #require(mask.flatMap { UInt64($0, radix: 16) })
        #expect(ignored & ~0x1_8000_0000 == 0)
    }

    @Test("when the time is up the whole process group is killed, and the result says so")
    func timeLimit() throws {
        let result = try shell("echo started; sleep 1000 & echo $!; wait", timeLimit: 200_000_000)
        #expect(result.timedOut)
        #expect(result.ending == .signalled(SIGKILL))
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "started")
        let sleeper = try #require(lines.dropFirst().first.flatMap { Int32($0) })
        #expect(hasEnded(sleeper))
    }

    @Test("a program that leaves a child with the output behind is not waited for")
    func background() throws {
        let result = try shell("sleep 1000 & echo $!")
        #expect(result.succeeded)
        let sleeper = try #require(Int32(result.output.dropLast()))
        #expect(kill(sleeper, SIGKILL) == 0)
    }

    @Test("a program that is not there is an error that says where it was looked for")
    func notFound() throws {
        let error = #expect(throws: KernelError.self) { try ProcessRunner.run(["ipvsadmin"], in: namespace) }
        #expect(
            error?.description == "rs1: run ipvsadmin: ENOENT (No such file or directory): "
                + "not in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        let denied = #expect(throws: KernelError.self) { try ProcessRunner.run(["/etc/passwd"], in: namespace) }
        #expect(denied?.description == "rs1: run /etc/passwd: EACCES (Permission denied)")
        #expect(throws: KernelError.self) { try ProcessRunner.run([], in: namespace) }
    }

    @Test("a long-running program is terminated with what it started")
    func longRunning() throws {
        let process = try ProcessRunner.start(
            ["sh", "-c", "trap 'echo bye; exit 0' TERM; sleep 1000 & echo $!; wait"], in: namespace)
        while !process.output.contains("\n"), process.isRunning { sched_yield() }
        #expect(process.isRunning)
        let sleeper = try #require(Int32(process.output.dropLast()))
        let result = try process.terminate()
        #expect(result.ending == .exited(0))
        #expect(result.output == "\(sleeper)\nbye\n")
        #expect(!process.isRunning)
        #expect(hasEnded(sleeper))
        #expect(try process.terminate() == result)
    }

    @Test("what ignores SIGTERM in the group of a program that heeds it is killed nevertheless")
    func stubbornMember() throws {
        let script = "trap 'exit 0' TERM; sh -c 'trap \"\" TERM; echo $$; sleep 1000' & wait"
        let process = try ProcessRunner.start(["sh", "-c", script], in: namespace)
        while !process.output.contains("\n"), process.isRunning { sched_yield() }
        let member = try #require(Int32(process.output.dropLast()))
        #expect(try process.terminate().ending == .exited(0))
        #expect(hasEnded(member))
    }

    @Test("a program that ignores SIGTERM is killed after the grace time")
    func stubborn() throws {
        let process = try ProcessRunner.start(["sh", "-c", "trap '' TERM; echo ready; sleep 1000"], in: namespace)
        while process.output.isEmpty, process.isRunning { sched_yield() }
        #expect(try process.terminate(grace: 50_000_000).ending == .signalled(SIGKILL))
    }

    @Test("a running program ends with the last reference to it")
    func dropped() throws {
        let id = try ProcessRunner.start(["sleep", "1000"], in: namespace).processID
        #expect(hasEnded(id))
    }

    /// Whether the process has ended, or does within the time that a killed process takes to. Not a child of this
    /// process any more, so its end cannot be waited for.
    private func hasEnded(_ process: Int32) -> Bool {
        for _ in 0..<1_000_000 {
            guard kill(process, 0) == 0 else { return errno == ESRCH }
            guard !isZombie(process) else { return true }
            sched_yield()
        }
        return false
    }

    private func isZombie(_ process: Int32) -> Bool {
        guard let status = try? WholeFile("/proc/\(process)/stat", during: "read").text() else { return true }
        return status.contains(") Z ")
    }
}
