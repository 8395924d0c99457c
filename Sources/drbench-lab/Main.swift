import Engine
import Glibc

/// The part of drbench that touches a kernel, as a program of its own: PID 1 of a lab kernel, or the first process in
/// namespaces of its own on this host's kernel.
///
/// It starts once for every run, in a lab kernel where a page fault or a system call costs twenty times what it costs
/// elsewhere. So it is linked with little more than it needs: nothing here reads YAML, writes reports or keeps a history.
@main
enum Main {
    static func main() {
        // As PID 1 of a lab kernel there is no command line.
        Guest.runIfOrdered()
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 1, let word = words.first else {
            print("drbench-lab: carries a plan out inside a lab kernel or namespaces; 'drbench run' starts it")
            exit(2)
        }
        if word == Porter.word { exit(Porter.serve()) }
        exit(NativeEngine.laboratory(word))
    }
}
