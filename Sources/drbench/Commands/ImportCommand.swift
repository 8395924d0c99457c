import ArgumentParser
import FoundationEssentials
import Glibc
import Import

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a scenario of a support bundle.",
        discussion: """
            The bundle is a folder with a folder for each machine: hypervisors, instances, routers, clients. In it, as far \
            as there: iptables-save.txt, ip6tables-save.txt, ebtables-save.txt, ipset-save.txt, ip-link.json (ip -j -d \
            link), ip-addr.json, ip-route.json, bridge-link.json (bridge -j link), bridge-fdb.json, bridge-vlan.json, \
            sysctl.txt (sysctl -a) and, of a director, ipvsadm.txt (ipvsadm -Sn). The scenario's rules stay in the \
            bundle's files. What the bundle lacks is named here and in the scenario's comments, never guessed.

            Hypervisors have either a bridge for each network (brq…, linuxbridge) or one for each port (qbr…, ovs_hybrid), \
            all of them the same. With hybrid bridges networks are deduced from the instances' subnets and from what \
            the bridges have learned; what Open vSwitch does behind them is named as missing.
            """)

    @Argument(help: ArgumentHelp("The bundle's folder.", valueName: "dir"), completion: .directory)
    var folder: String

    @Option(
        name: .shortAndLong, help: "The scenario's file (default: imported.yaml in the bundle's folder).",
        completion: .file(extensions: ["yaml"]))
    var out: String?

    func run() throws {
        let bundle = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        let file = out ?? "\(bundle)/imported.yaml"
        guard file.hasSuffix(".yaml") else {
            Console.error("drbench: '\(file)' is no name for a scenario, expected one that ends in .yaml")
            throw ExitCode.invalid
        }
        let scenario: ImportedScenario
        do {
            scenario = try ImportedScenario(bundle: bundle, rules: try prefix(from: file.parent, to: bundle))
        } catch let error as ImportError {
            Console.error("drbench: \(error)")
            throw ExitCode.invalid
        }
        do {
            try Data(scenario.text.utf8).write(to: URL(filePath: file))
        } catch {
            throw EnvironmentError("cannot write '\(file)'")
        }
        for line in scenario.missing { Console.output("missing  \(line)") }
        Console.output("wrote    \(file)")
    }

    /// How files in `origin` name those in `target`: relative if it is the same folder.
    private func prefix(from origin: String, to target: String) throws -> String {
        func real(_ path: String) throws -> String {
            guard let found = realpath(path, nil) else { throw EnvironmentError("there is no folder '\(path)'") }
            defer { free(found) }
            return String(cString: found)
        }
        let (start, end) = (try real(origin), try real(target))
        if start == end { return "" }
        return end.hasPrefix(start + "/") ? end.dropFirst(start.count + 1) + "/" : end + "/"
    }
}
