internal import FoundationEssentials
internal import Glibc
internal import Kernel

/// A lab kernel that netns/kernel/build.sh has built.
public struct LabKernel: Sendable, Equatable {
    /// The folder: `/var/cache/drbench/kernels/6.12-acef8b6f735a`.
    public var folder: String
    /// `6.12`
    public var version: String
    /// `uname -r`.
    public var release: String
    /// The Debian source package and its revision.
    public var source: String
    public var built: String
    /// The names of the patches that it has: `0001-um-no-host-alarm-in-virtual-time`.
    var patches: Set<String>
    public var program: String { folder + "/linux" }

    /// Reads a build's folder; nil if it holds no runnable kernel.
    public init?(folder: String) {
        guard access(folder + "/linux", X_OK) == 0,
            let text = try? String(contentsOfFile: folder + "/kernel.env", encoding: .utf8)
        else { return nil }
        var fields: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        guard let version = fields["VERSION"] else { return nil }
        self.folder = folder
        self.version = String(version)
        release = String(fields["RELEASE"] ?? "?")
        source = String(fields["SOURCE"] ?? "?")
        built = String(fields["BUILT"] ?? "?")
        patches = Set(fields["PATCHES"]?.split(separator: " ").map(String.init) ?? [])
    }

    /// Whether it takes its memory as a file that is open already, and makes no files beside it.
    var makesNoFiles: Bool { patches.contains("0009-um-make-no-files-and-end-once") }

    /// Where builds are kept, in the order of preference: $DRBENCH_KERNEL_CACHE, the machine's cache, the user's.
    public static func caches(environment: [String: String]) -> [String] {
        if let own = environment["DRBENCH_KERNEL_CACHE"] { return [own] }
        var caches = ["/var/cache/drbench/kernels"]
        if let cache = environment["XDG_CACHE_HOME"] ?? environment["HOME"].map({ $0 + "/.cache" }) {
            caches.append(cache + "/drbench/kernels")
        }
        return caches
    }

    /// All builds in the caches, by version and then the newest first.
    public static func installed(caches: [String]) -> [LabKernel] {
        caches.flatMap { cache in
            ((try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? [])
                .filter { !$0.hasPrefix(".") }.sorted()
                .compactMap { LabKernel(folder: cache + "/" + $0) }
        }.sorted { ($0.version, $1.built) < ($1.version, $0.built) }
    }

    /// The caches that are there but cannot be read, with the reason, for a message about a kernel that is not found.
    public static func unreadable(caches: [String]) -> [String] {
        caches.compactMap { cache in
            if let folder = opendir(cache) {
                closedir(folder)
                return nil
            }
            let code = errno
            return code == ENOENT ? nil : "\(cache) cannot be read: \(Errno.message(code))"
        }
    }

    /// Whether it was built from the configuration and the patches that are in `sources` (netns/kernel) now.
    public func isBuilt(from sources: String) -> Bool {
        func same(_ name: String) -> Bool {
            guard let now = FileManager.default.contents(atPath: sources + "/" + name) else { return false }
            return now == FileManager.default.contents(atPath: folder + "/" + name)
        }
        func patches(_ folder: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/patches")) ?? []).sorted()
        }
        let now = patches(sources)
        return same("lab-kernel.config") && now == patches(folder) && now.allSatisfy { same("patches/" + $0) }
    }

    /// The kernel to use: of the wanted version and from these sources if there is one, otherwise the newest build of that
    /// version. Where the default version could not be had, netns/kernel/build.sh has built another one in its place: then
    /// the newest build of all.
    public static func choose(version: String, sources: String?, caches: [String]) -> LabKernel? {
        let installed = installed(caches: caches)
        let fitting = installed.filter { $0.version == version }
        if let sources, let exact = fitting.first(where: { $0.isBuilt(from: sources) }) { return exact }
        return fitting.first ?? (version == defaultVersion ? installed.max { $0.built < $1.built } : nil)
    }
}

extension LabKernel {
    /// The configuration that it was built from, `lab-kernel.config`.
    var configuration: String {
        get throws { try String(contentsOfFile: folder + "/lab-kernel.config", encoding: .utf8) }
    }

    /// The version that shipped scenarios are checked with.
    public static let defaultVersion = "6.12"
}
