import ArgumentParser
import Engine
import Glibc

struct KernelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernel", abstract: "The lab kernels: which are built, building one, where one is.",
        subcommands: [List.self, Build.self, Path.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the lab kernels on this machine.")

        func run() throws {
            let caches = LabKernel.caches(environment: Environment.all)
            let kernels = LabKernel.installed(caches: caches)
            for problem in LabKernel.unreadable(caches: caches) { Console.error("drbench: \(problem)") }
            guard !kernels.isEmpty else {
                Console.output("no lab kernel is built yet; 'drbench kernel build' or 'make kernel' builds one")
                Console.output("looked in \(caches.joined(separator: " and "))")
                return
            }
            let sources = Installation.find()?.kernelSources
            for kernel in kernels {
                let current = sources.map(kernel.isBuilt(from:)) ?? false
                Console.output("\(kernel.version)  Linux \(kernel.release)")
                Console.output("      from \(kernel.source), built \(kernel.built)")
                Console.output("      with \(current ? "this checkout's" : "another") configuration and patches")
                Console.output("      \(kernel.program)")
            }
        }
    }

    struct Build: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Builds a lab kernel unless it is built already: about 5 minutes on two processors.")

        @Argument(help: "The kernel version, as Debian's linux-source packages name it.")
        var version = LabKernel.defaultVersion

        func validate() throws {
            try OptionChecks.kernelVersion(version, of: "the version")
        }

        func run() throws {
            guard let sources = Installation.find()?.kernelSources else {
                throw EnvironmentError("nothing to build from: \(Installation.obstacle)")
            }
            let places = ["DRBENCH_KERNEL_CACHE", "XDG_CACHE_HOME", "HOME"]
            guard geteuid() == 0 || places.contains(where: { Environment.all[$0] != nil }) else {
                throw EnvironmentError("no place for the kernel: set one of \(places.joined(separator: ", "))")
            }
            // The build takes over this process: its output and status are the command's.
            let script = sources + "/build.sh"
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(script), strdup(version), nil]
            execv(script, &arguments)
            throw EnvironmentError("cannot execute \(script): \(String(cString: strerror(errno)))")
        }
    }

    struct Path: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the path of the lab kernel that would be used.")

        @Argument(help: "The kernel version.")
        var version = LabKernel.defaultVersion

        func validate() throws { try OptionChecks.kernelVersion(version, of: "the version") }

        func run() throws {
            Console.output(try EngineChoice.labKernel(version: version).program)
        }
    }
}
