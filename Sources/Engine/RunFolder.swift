internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import Plan

/// The folder that one run's files go to, as its front sees it.
struct RunFolder {
    let folder: Folder
    var path: String { folder.path }

    init(_ path: String) throws(RunFailure) {
        do {
            folder = try Folder(path)
        } catch {
            throw RunFailure(.couldNotStart, "\(error)")
        }
    }

    func write(_ plan: Plan) throws(RunFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            try folder.write(RunFiles.plan, try encoder.encode(plan))
        } catch {
            throw RunFailure(.couldNotStart, "cannot write the plan to \(path): \(error)")
        }
    }

    /// What was printed is no evidence; that it cannot be kept shows when the verdict cannot be, either.
    func write(console bytes: [UInt8]) { try? folder.write(RunFiles.console, bytes) }

    // MARK: What the laboratory writes

    /// Makes the files and folders that the laboratory writes to, empty, and gives each to `use`: nothing else of this host
    /// needs to be within its reach. `tidy()` removes those that stayed empty.
    func makeWritable(
        use: (_ descriptor: Int32, _ kind: drb_place) throws(RunFailure) -> Void
    ) throws(RunFailure) {
        do {
            for name in RunFiles.ofLaboratory {
                let file = try folder.create(name)
                defer { close(file) }
                try use(file, DRB_FILE)
            }
            for name in RunFiles.foldersOfLaboratory {
                let inner = try folder.subfolder(name)
                defer { withExtendedLifetime(inner) {} }
                try use(inner.descriptor, DRB_FOLDER)
            }
        } catch let failure as RunFailure {
            throw failure
        } catch {
            throw RunFailure(.couldNotStart, "\(error)")
        }
    }

    /// Makes the caller's what a laboratory of other users has made.
    func adopt() {
        func adopt(_ name: String, in folder: Folder) {
            let file = openat(folder.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            guard file >= 0 else { return }
            fchown(file, geteuid(), getegid())
            close(file)
        }
        for name in RunFiles.ofLaboratory { adopt(name, in: folder) }
        for name in RunFiles.foldersOfLaboratory {
            guard let inner = try? folder.existingSubfolder(name) else { continue }
            for file in (try? inner.names()) ?? [] { adopt(file, in: inner) }
            withExtendedLifetime(inner) { _ = fchown(inner.descriptor, geteuid(), getegid()) }
        }
    }

    /// Removes what the laboratory did not come to write.
    func tidy() {
        for name in RunFiles.ofLaboratory {
            var about = stat()
            if fstatat(folder.descriptor, name, &about, AT_SYMLINK_NOFOLLOW) == 0, about.st_size == 0 {
                try? folder.remove(name)
            }
        }
        for name in RunFiles.foldersOfLaboratory {
            guard let inner = try? folder.existingSubfolder(name) else { continue }
            // Whoever is root in native namespaces can make others than files there: they are nobody's evidence.
            for other in (try? inner.names()) ?? [] where inner.kind(of: other) != .file { try? inner.remove(other) }
            _ = try? folder.removeEmptySubfolder(name)
        }
    }
}

extension RunFiles {
    static let ofLaboratory = [evidence, capture]
    static let foldersOfLaboratory = [rules, programs]
}
