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
            let kernels = LabKernel.installed(caches: LabKernel.caches(environment: Environment.all))
            guard !kernels.isEmpty else {
                Console.output("no lab kernel is built yet; 'drbench kernel build' or 'make kernel' builds one")
                return
            }
            let sources = Installation.find()?.kernelSources
            for kernel in kernels {
                let current = sources.map(kernel.isBuilt(from:)) ?? false
                Console.output(
                    "\(kernel.release)  \(kernel.source), built \(kernel.built)\(current ? "" : ", from other inputs")"
                        + "\n    \(kernel.program)")
            }
        }
    }

    struct Build: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Builds a lab kernel unless it is built already: about 5 minutes on two processors.")

        @Argument(help: "The kernel version, as Debian's linux-source packages name it.")
        var version = LabKernel.defaultVersion

        func run() throws {
            guard let sources = Installation.find()?.kernelSources else {
                throw EnvironmentError("netns/kernel is not here: run this in a drbench checkout")
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

        func run() throws {
            Console.output(try EngineChoice.labKernel(version: version).program)
        }
    }
}
