import ArgumentParser
import Engine
import Glibc
import Scenario

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Says what this machine and each engine can do, and which scenarios run.")

    @OptionGroup var selection: ScenarioSelection

    func run() throws {
        let user = geteuid() == 0 ? "root" : "uid \(geteuid()), not root"
        Console.output("host     Linux \(EngineChoice.kernelRelease), \(user)")
        Console.output("program  \(Program.path)")
        var able: [(name: String, capabilities: Capabilities)] = []

        Console.output("")
        let kernels = LabKernel.installed(caches: LabKernel.caches(environment: Environment.all))
        if let chosen = EngineChoice.findLabKernel(version: LabKernel.defaultVersion) {
            let capabilities = try chosen.capabilities
            able.append(("uml", capabilities))
            Console.output("uml      ready: Linux \(chosen.release) (\(chosen.source)), \(chosen.program)")
            show(capabilities)
        } else {
            Console.output("uml      not ready: no lab kernel \(LabKernel.defaultVersion); 'make kernel' builds one")
        }
        for kernel in kernels where kernel.version != LabKernel.defaultVersion {
            Console.output("         also built: \(kernel.release), \(kernel.program)")
        }

        Console.output("")
        do {
            let capabilities = try NativeEngine(program: Program.path).probe()
            able.append(("native", capabilities))
            Console.output("native   ready: private namespaces on this host's kernel")
            show(capabilities)
        } catch {
            Console.output("native   not ready: \(error)")
        }

        Console.output("")
        Console.output("tools")
        for tool in Tools.all {
            let version = Tools.version(of: tool)
            Console.output("  \(tool.name.padded(to: 26))\(version ?? "missing: \(tool.purpose)")")
        }

        Console.output("")
        let scenarios = try selection.load()
        for engine in able {
            let runnable = scenarios.filter { $0.needs.allSatisfy(engine.capabilities.has) }
            Console.output(
                "\(engine.name.padded(to: 9))runs \(runnable.count) of \(scenarios.count) scenarios and variants")
            let missing = Set(scenarios.flatMap(\.needs)).filter { !engine.capabilities.has($0) }.sorted()
            if !missing.isEmpty { Console.output("         the others need \(missing.joined(separator: ", "))") }
        }
        guard !able.isEmpty else { throw ExitCode.cannotRun }
    }

    private func show(_ capabilities: Capabilities) {
        for each in Capabilities.known {
            let state = capabilities.has(each.name) ? "yes" : "no: \(capabilities.reason(against: each.name))"
            Console.output("  \(each.name.padded(to: 12))\(each.meaning.padded(to: 44))\(state)")
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
