import Engine
import FoundationEssentials
import Glibc

/// Something about this machine that keeps a command from working: exit status 3.
struct EnvironmentError: Error, CustomStringConvertible {
    /// The sentence, and what belongs to it, each a line of its own where it is the last word.
    let lines: [String]
    var description: String { lines.joined(separator: "; ") }

    init(_ sentence: String, _ details: [String] = []) { lines = [sentence] + details }
}

enum Environment {
    static var all: [String: String] { ProcessInfo.processInfo.environment }
}

/// Where drbench's own files are: what holds `Scenarios/` and `netns/`, a checkout or what `make install` has put there.
struct Installation {
    let root: String
    var scenarios: String { root + "/Scenarios" }
    var topologies: String { root + "/netns" }
    var kernelSources: String { root + "/netns/kernel" }

    /// $DRBENCH_HOME, the current folder or one above it, one above the program, or `share/drbench` beside its folder.
    static func find() -> Installation? {
        candidates.first {
            access($0 + "/Scenarios", R_OK | X_OK) == 0 && access($0 + "/netns", R_OK | X_OK) == 0
        }.map(Installation.init)
    }

    /// Why there is none, as a sentence.
    static var obstacle: String {
        for folder in candidates {
            for name in ["Scenarios", "netns"] where access("\(folder)/\(name)", R_OK | X_OK) < 0 && errno == EACCES {
                return Barrier(to: "\(folder)/\(name)/.")?.description ?? "\(folder)/\(name) cannot be read"
            }
        }
        return "no folder with 'Scenarios' and 'netns' here, above, or above the program; DRBENCH_HOME names one"
    }

    private static var candidates: [String] {
        var candidates: [String] = []
        if let home = Environment.all["DRBENCH_HOME"] { candidates.append(home) }
        for start in [FileManager.default.currentDirectoryPath, Program.path.parent] {
            var folder = start
            while folder != "/", !folder.isEmpty {
                candidates.append(folder)
                folder = folder.parent
            }
        }
        candidates.append(Program.path.parent.parent + "/share/drbench")
        return candidates
    }
}

extension String {
    /// The path without its last component.
    var parent: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}

enum Program {
    /// The program that engines start: beside this one, or where `make install` puts it.
    static var laboratory: String {
        let beside = path.parent + "/drbench-lab"
        let installed = path.parent.parent + "/libexec/drbench/drbench-lab"
        return access(beside, F_OK) < 0 && access(installed, F_OK) == 0 ? installed : beside
    }

    /// This program's own file.
    static var path: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "drbench"
    }
}
