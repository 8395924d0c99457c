import Glibc
import History
import Kernel
import Measurement

extension MeasuredReport {
    /// Writes a run's page, its plots and their programs into a folder. gnuplot, which would follow links that lie there, draws
    /// in a folder of its own.
    /// - Throws: `EnvironmentError` with why there is none.
    static func write(
        _ run: MeasuredRun, number: Int?, trends: [Trend], to folder: Folder
    ) throws(EnvironmentError) {
        var path = Array("\(Environment.all["TMPDIR"] ?? "/tmp")/drbench-plots-XXXXXX".utf8CString)
        guard let made = mkdtemp(&path) else {
            throw EnvironmentError("cannot make a folder to draw in: \(Errno.message(errno))")
        }
        let name = String(cString: made)
        do {
            let drawing = try Folder(name)
            defer {
                for file in (try? drawing.names()) ?? [] { try? drawing.remove(file) }
                rmdir(name)
            }
            try write(run, number: number, trends: trends, in: name)
            for file in try drawing.names() {
                try folder.write(file, try drawing.read(file, limit: 1 << 28) ?? [])
            }
        } catch {
            throw EnvironmentError("\(error)".replacing(name, with: folder.path))
        }
    }
}
