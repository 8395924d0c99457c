import ArgumentParser
import Engine
import Glibc
import Plan
import Reading
import Scenario

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Says what this machine and each engine can do, and which scenarios run.")

    @OptionGroup var selection: ScenarioSelection

    func run() throws {
        let user = geteuid() == 0 ? "root" : "uid \(geteuid()), not root"
        Console.output("host     Linux \(EngineChoice.kernelRelease), \(user)")
        Console.output("program  \(Program.path)")
        do {
            Console.output("run      would take \(try EngineChoice.make(.auto, kernelVersion: nil).explanation)")
        } catch {
            Console.output("run      would end with status 3: \(error)")
        }

        Console.output("")
        var able: [(name: String, capabilities: Capabilities)] = []
        do {
            let choice = try EngineChoice.make(.uml, kernelVersion: nil)
            able.append(("uml", choice.capabilities))
            let kernel = EngineChoice.findLabKernel(version: LabKernel.defaultVersion)
            Console.output("uml      ready: " + (kernel.map { "Linux \($0.release), \($0.program)" } ?? ""))
            Console.output(
                "confined " + (Confinement.ofThisHost.isComplete ? "by " : "in part: ")
                    + Confinement.ofThisHost.description)
            show(choice.capabilities)
        } catch {
            Console.output("uml      not ready: \(error)")
        }
        let kernels = LabKernel.installed(caches: LabKernel.caches(environment: Environment.all))
        for kernel in kernels where kernel.version != LabKernel.defaultVersion {
            Console.output("  also built: \(kernel.release) for --kernel \(kernel.version)")
        }

        Console.output("")
        do {
            let choice = try EngineChoice.make(.native, kernelVersion: nil)
            able.append(("native", choice.capabilities))
            Console.output("native   ready: private namespaces on this host's kernel")
            Console.output(
                choice.gap.map { "confined in part: \($0)" }
                    ?? "confined by namespaces: this host's files are read-only, and its users are nobody there")
            show(choice.capabilities)
        } catch {
            Console.output("native   not ready: \(error)")
        }

        Console.output("")
        Console.output("tools")
        for tool in Tools.all {
            Console.output("  \(tool.name.padded(to: 26))\(Tools.state(of: tool))")
        }

        Console.output("")
        let scenarios = try selection.load()
        let needs = scenarios.map { $0.allNeeds(try? Plan($0)) }
        for engine in able { show(engine.name, engine.capabilities, scenarios, needs) }
        guard !able.isEmpty else { throw ExitCode.cannotRun }
    }

    private func show(_ capabilities: Capabilities) {
        for each in Capabilities.known {
            let state = capabilities.has(each.name) ? "yes" : "no: \(capabilities.reason(against: each.name))"
            Console.output("  \(each.name.padded(to: 12))\(each.meaning.padded(to: 44))\(state)")
        }
    }

    private func show(_ engine: String, _ capabilities: Capabilities, _ scenarios: [Scenario], _ needs: [[String]]) {
        let runnable = zip(scenarios, needs).filter { $1.allSatisfy(capabilities.has) }.map(\.0)
        let name = engine.padded(to: 9)
        guard runnable.count < scenarios.count else {
            Console.output("\(name)runs all \(scenarios.count) scenarios and variants")
            return
        }
        Console.output("\(name)runs \(runnable.count) of \(scenarios.count) scenarios and variants")
        for scenario in runnable { Console.output("  \(scenario.fullName)") }
        for need in Capabilities.known.map(\.name) where !capabilities.has(need) {
            let count = needs.count { $0.contains(need) }
            if count > 0 { Console.output("  \(count) need \(need), which it lacks") }
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
