internal import CLinux
internal import Glibc
internal import Kernel
internal import Lab

/// People who may come, as a laboratory sees them: a porter at a line.
struct OpenHouse: Visitors {
    let comeAfterEvidence: Bool
    private let line: () throws -> Int32

    /// - Parameter line: prepares the laboratory and returns its end of the line to the front.
    init(comeAfterEvidence: Bool, line: @escaping () throws -> Int32) {
        self.comeAfterEvidence = comeAfterEvidence
        self.line = line
    }

    func receive(namespaces: [(name: String, descriptor: Int32)], opened: () -> Void) throws {
        let line = try line()
        defer { close(line) }
        // Where `ip netns` looks for them, and the porter.
        mkdir(Porter.namespaces, 0o755)
        for (name, descriptor) in namespaces {
            let status = drb_bind_descriptor(descriptor, "\(Porter.namespaces)/\(name)")
            guard status == 0 else {
                throw KernelError("mount \(Porter.namespaces)/\(name)", code: -status, namespace: name)
            }
        }
        let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        let pid = withStrings(["drbench-lab", Porter.word]) { argv in
            withStrings(environment) { envp in
                drb_spawn("/proc/self/exe", argv, envp, [line, STDOUT_FILENO, STDERR_FILENO], 0)
            }
        }
        guard pid > 0 else { throw KernelError("start the porter", code: -pid) }
        opened()
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            throw KernelError("let people in", code: ECANCELED, explanation: "the porter ended with status \(status)")
        }
    }
}

extension RunRequest {
    /// What an event means for those who may come.
    func note(_ event: LabEvent, _ relay: Relay?) {
        guard case .open = event, let visit, let relay else { return }
        do throws(LabFolder.Obstacle) {
            try relay.open()
            if visit.opened() { return }
        } catch {
            // Nobody can come: said, and over.
            visit.failed("\(error)")
        }
        relay.end()
    }
}
