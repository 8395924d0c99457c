import Foundation
import Glibc
import Testing

/// Ways out of a laboratory, as shell scripts: each tries to write to, remove from, or change the folder `$T` of the host, where
/// a file `victim` lies, or the folder of another run, `$OTHER`.
private let waysOut: [(name: String, script: String)] = [
    ("write", "touch $T/a"),
    ("append", "echo x >>$T/victim"),
    ("remount", "mount -o remount,rw / ; touch $T/a"),
    ("remount the bind", "mkdir -p /tmp/b; mount --bind / /tmp/b; mount -o remount,bind,rw /tmp/b; touch /tmp/b$T/a"),
    ("remount in a namespace", "unshare -m sh -c 'mount -o remount,rw /; touch $T/a'"),
    ("remount as another root", "unshare -Urm sh -c 'mount -o remount,rw /; touch $T/a'"),
    ("unmount", "umount -l /; umount -l /run; umount -l /tmp; umount -l /proc; touch $T/a"),
    ("hostfs", "mkdir -p /tmp/h; mount -t hostfs -o / none /tmp/h; touch /tmp/h$T/a"),
    ("hostfs of the folder", "mkdir -p /tmp/i; mount -t hostfs -o $T none /tmp/i; touch /tmp/i/a"),
    (
        "hostfs of the working folder",
        "mkdir -p /tmp/j; mount -t hostfs -o /proc/self/cwd/.. none /tmp/j; touch /tmp/j/a"
    ),
    ("hostfs of /proc", "mkdir -p /tmp/k; mount -t hostfs -o /proc/self/root none /tmp/k; touch /tmp/k$T/a"),
    (
        "the new mount calls",
        #"python3 -c 'import ctypes, os; c = ctypes.CDLL(None); f = c.syscall(430, b"hostfs", 0); "#
            + #"c.syscall(431, f, 1, b"hostfs", b"/", 0); c.syscall(431, f, 6, None, None, 0); "#
            + #"m = c.syscall(432, f, 0, 0); open("/proc/self/fd/%d%s/a" % (m, os.environ["T"]), "w")'"#
    ),
    ("a link where drbench writes", "ln -s $T/a /run/drbench/report.html; ln -sf $T/a /run/drbench/console.log"),
    ("a link, by PID 1", "nsenter -t 1 -m -- ln -s $T/a /run/drbench/report.html"),
    ("a link, by /proc/1/root", "ln -s $T/a /proc/1/root/run/drbench/report.html"),
    ("a link among the rules", "rmdir /proc/1/root/run/drbench/rules; ln -s $T /proc/1/root/run/drbench/rules"),
    ("a link, by PID 1's descriptors", "for d in /proc/1/fd/*; do ln -s $T/a $d/report.html; ln -s $T/a $d/../x; done"),
    ("PID 1's working folder", "touch /proc/1/cwd/a /proc/1/cwd/../a; cd /proc/1/cwd && ln -s $T/a report.html"),
    ("a FIFO", "mkfifo $T/f; mkfifo /proc/1/root/run/drbench/f; mkfifo /run/drbench/evidence2"),
    ("a device", "mknod $T/d c 1 3; mknod /proc/1/root/run/drbench/d b 254 0"),
    ("a socket", "python3 -c 'import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ[\"T\"] + \"/s\")'"),
    ("set-user-ID", "cp /bin/sh $T/sh; chmod 4755 $T/sh $T/victim"),
    ("set-user-ID behind a remount", "mount -o remount,rw /; chmod 4755 $T/victim"),
    ("owner", "mount -o remount,rw /; chown 1:1 $T/victim"),
    ("times", "mount -o remount,rw /; touch -d 2001-01-01 $T/victim"),
    ("truncate", "truncate -s 0 $T/victim; (: >$T/victim)"),
    ("truncate behind a remount", "mount -o remount,rw /; truncate -s 0 $T/victim"),
    ("remove", "rm -f $T/victim; mv $T/victim $T/v2; rmdir $T"),
    ("a hard link", "ln $T/victim /run/drbench/v; ln $T/victim $T/v"),
    ("attributes", "python3 -c 'import os; os.setxattr(os.environ[\"T\"] + \"/victim\", \"user.x\", b\"y\")'"),
    ("another run's evidence", "touch $OTHER/a; echo x >$OTHER/evidence.json; rm $OTHER/evidence.json"),
    ("its variants' evidence", "mkdir /run/drbench/variants; touch /run/drbench/variants/a /run/drbench/a"),
    (
        "the host's /proc",
        "umount -l /proc; echo x >/proc/self/root$T/a; echo x >/proc/self/cwd/../a; touch /proc/1/root$T/a"
    ),
    ("memory", "mknod /tmp/mem c 1 1; dd if=/dev/zero of=/tmp/mem bs=1 count=1; echo 0 >/proc/sys/kernel/core_pattern"),
]

/// In a lab kernel root cannot even remove its own run's evidence; natively that is its own, and the run an error.
private let waysToOwnEvidence: [(name: String, script: String)] = [
    ("its own evidence", "ls -l /run/drbench; rm -rf /run/drbench/*; rm -rf /proc/1/root/run/drbench/plan.json")
]

extension WholeProgram {
    @Suite("A scenario's commands do not change the host", .enabled(if: Drbench.hasLabKernel, Drbench.noLabKernel))
    struct Escapes {
        /// What a folder holds, recursively. The time of the last change is another after every change of content, mode,
        /// owner, links or attributes.
        private static func state(of folder: String) -> [String] {
            let names = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
            return ([""] + names).map { name in
                let path = folder + "/" + name
                var about = stat()
                lstat(path, &about)
                let content = about.st_mode & S_IFMT == S_IFREG ? FileManager.default.contents(atPath: path) : nil
                return "\(name) \(about.st_mode) \(about.st_uid) \(about.st_ctim.tv_sec).\(about.st_ctim.tv_nsec)"
                    + " \(content?.count ?? -1)"
            }
        }

        private static func scenario(
            _ ways: [(name: String, script: String)], _ target: String, _ other: String, _ topology: String
        ) -> String {
            let steps = ways.map { way in
                let script = way.script.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { "          " + $0 }.joined(separator: "\n")
                return """
                      - name: \(way.name)
                        run:
                          on: client
                          may_fail: true
                          command:
                            - timeout
                            - "10"
                            - sh
                            - -c
                            - |
                              export T=\(target) OTHER=\(other) LC_ALL=C
                    \(script.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n"))
                              echo tried; exit 7
                        expect: [{command: {status: 7, prints: tried}}]
                    """
            }
            return """
                title: Ways out of a laboratory
                \(topology)
                timeline:
                  - name: what is its own can be written
                    run: {on: client, command: [sh, -c, "touch /tmp/a /run/a && rm /tmp/a /run/a"]}
                    expect: [{command: {status: 0}}]
                \(steps.joined(separator: "\n"))

                """
        }

        private static let labTopology = "topology: one-hypervisor\nneutron: {release: 2014.1.5, driver: linuxbridge}"
        private static let plainTopology = """
            topology: empty
            networks: {n: {cidr: 10.0.0.0/24}}
            switches: [sw]
            hosts:
              client: {on: sw, ports: {eth0: {network: n, fixed_ips: [10.0.0.1]}}}
            """

        @Test("in a lab kernel and natively, as root and as somebody else", arguments: ["uml", "native"])
        func waysOutAreClosed(engine: String) async throws {
            let folder = try Drbench.emptyFolder(named: "escape-\(engine)")
            let target = folder + "/target"
            let out = folder + "/out"
            for path in [target, out] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try Data("victim\n".utf8).write(to: URL(filePath: target + "/victim"))
            // The other run.
            let first = try await Drbench.run(
                [
                    "run", "\(Drbench.scenarios)own-sys.yaml", "--engine", "uml", "--seed", "1", "--out",
                    folder + "/other",
                ])
            try #require(first.status == 0, first.text)
            let other = folder + "/other/own-sys"
            // What this test looks at shows when somebody does write, or changes a mode.
            let atFirst = Self.state(of: target)
            try Data().write(to: URL(filePath: target + "/control"))
            #expect(Self.state(of: target) != atFirst)
            try FileManager.default.removeItem(atPath: target + "/control")
            let unchanged = Self.state(of: target)
            chmod(target + "/victim", 0o644)
            #expect(Self.state(of: target) != unchanged)
            let before = Self.state(of: target) + Self.state(of: folder + "/other")

            let file = folder + "/ways-out.yaml"
            let topology = engine == "uml" ? Self.labTopology : Self.plainTopology
            try Data(
                Self.scenario(
                    waysOut + (engine == "uml" ? waysToOwnEvidence : []), target, other, topology
                ).utf8
            ).write(to: URL(filePath: file))
            let ended = try await Drbench.run(["run", file, "--engine", engine, "--seed", "1", "--out", out])
            #expect(ended.status == 0, ended.text)
            #expect(Self.state(of: target) + Self.state(of: folder + "/other") == before)
            let links = (FileManager.default.enumerator(atPath: out)?.compactMap { $0 as? String } ?? []).filter {
                (try? FileManager.default.attributesOfItem(atPath: out + "/" + $0)[.type] as? FileAttributeType)
                    .map { $0 != .typeRegular && $0 != .typeDirectory } ?? true
            }
            #expect(links == [])
        }

        @Test("a guest cannot leave virtual time, and says so")
        func clock() async throws {
            let folder = try Drbench.emptyFolder(named: "escape-clock")
            let file = folder + "/clock.yaml"
            try Data(
                """
                title: Leave virtual time
                \(Self.labTopology)
                timeline:
                  - name: off
                    run: {on: client, may_fail: true, command: [python3, -c, "import os; os.write(os.open('/proc/time_travel', 1), b'off')"]}
                    expect: [{command: {status: 1, prints: "Operation not permitted"}}]

                """.utf8
            ).write(to: URL(filePath: file))
            let ended = try await Drbench.run([
                "run", file, "--engine", "uml", "--check-determinism", "--out", folder + "/out",
            ])
            #expect(ended.status == 0, ended.text)
        }

        @Test("a guest that restarts is an error at once")
        func restart() async throws {
            let folder = try Drbench.emptyFolder(named: "escape-restart")
            let file = folder + "/restart.yaml"
            try Data(
                """
                title: Restart
                \(Self.labTopology)
                timeline:
                  - name: again
                    run: {on: client, command: [python3, -c, "import ctypes; ctypes.CDLL(None).reboot(0x01234567)"]}
                    expect: [{command: {status: 0}}]

                """.utf8
            ).write(to: URL(filePath: file))
            let start = ContinuousClock.now
            let ended = try await Drbench.run(["run", file, "--engine", "uml", "--seed", "1", "--out", folder + "/out"])
            #expect(ended.status == 3, ended.text)
            #expect(ended.output.contains("the guest restarted"), ended.text)
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }
}
