import ArgumentParser
import FoundationEssentials
import Glibc
import Import
import Reading
import Scenario
import Text

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a scenario of a support bundle.",
        discussion: """
            The bundle is a folder with a folder for each machine: hypervisors, instances, routers, clients. In it, as far \
            as there: iptables-save.txt, ip6tables-save.txt, ebtables-save.txt, ipset-save.txt, ip-link.json (ip -j -d \
            link), ip-addr.json, ip-route.json, bridge-link.json (bridge -j link), bridge-fdb.json, bridge-vlan.json, \
            sysctl.txt (sysctl -a), nft-list-ruleset.txt (nft list ruleset) and, of a director, ipvsadm.txt (ipvsadm -Sn). \
            The scenario's rules stay in the bundle's files. What the bundle lacks, and files that import does not know, \
            are named here and in the scenario's comments, never guessed.

            Hypervisors have either a bridge for each network (brq…, linuxbridge) or one for each port (qbr…, ovs_hybrid), \
            all of them the same. With hybrid bridges networks are deduced from the instances' subnets and from what \
            the bridges have learned; what Open vSwitch does behind them is named as missing. A node whose ports are \
            filtered by Open vSwitch's flows, OVN or nftables is refused: without that filter the scenario would be false.

            The scenario is read again and validated; exit status 2 if it is not valid yet, with the files that its \
            mistakes come from. A file that an import wrote is written anew as long as nobody has changed it; any other \
            file of that name is left alone, unless --force is given. Files have at most 16 MB, all together 128 MB.
            """)

    @Argument(help: ArgumentHelp("The bundle's folder.", valueName: "dir"), completion: .directory)
    var folder: String

    @Option(
        name: .shortAndLong, help: "The scenario's file (default: imported.yaml in the bundle's folder).",
        completion: .file(extensions: ["yaml"]))
    var out: String?

    @Flag(help: "Replace the scenario's file even if it was changed, or not written by an import.")
    var force = false

    func run() throws {
        let bundle = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        let file = out ?? "\(bundle)/imported.yaml"
        guard file.hasSuffix(".yaml") else {
            throw invalid("'\(file)' is no name for a scenario, expected one that ends in .yaml")
        }
        for folder in [bundle, file.parent] {
            if let problem = RegularFile.problem(withFolder: folder) { throw invalid("'\(folder)' \(problem)") }
        }
        let scenario: ImportedScenario
        do {
            scenario = try ImportedScenario(bundle: bundle, rules: try prefix(from: file.parent, to: bundle))
        } catch let error as ImportError {
            throw invalid("\(error)")
        }
        try checkMayReplace(file)
        try write(ImportMark.marked(scenario.text), to: file)
        for line in scenario.missing { Console.output("missing  \(line)") }
        Console.output("wrote    \(file)")
        try validate(scenario, in: file)
    }

    private func invalid(_ reason: String) -> ExitCode {
        Console.error("drbench: \(reason)")
        return .invalid
    }

    /// Only what an import wrote and nobody changed since, or nothing at all.
    private func checkMayReplace(_ file: String) throws {
        var status = stat()
        guard lstat(file, &status) == 0, !force else { return }
        let isOwn = (try? RegularFile.bytes(of: file, upTo: 8_000_000, followsLinks: false)).map(ImportMark.isUnchanged)
        guard isOwn != true else { return }
        let reason =
            RegularFile.problem(with: file, followsLinks: false).map { "\($0)" }
            ?? "is there and is not as an import wrote it"
        throw invalid("'\(file)' \(reason): --out names another file, --force replaces this one")
    }

    /// To a new file that gets the name when it is whole.
    private func write(_ text: String, to file: String) throws {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        let unfinished = "\(file.parent)/.\(name).\(getpid()).new"
        func failed() -> EnvironmentError {
            let reason = String(cString: strerror(errno))
            unlink(unfinished)
            return EnvironmentError("cannot write '\(file)': \(reason)")
        }
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw EnvironmentError("cannot write '\(file)': \(String(cString: strerror(errno)))")
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = failed()
                close(descriptor)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        guard close(descriptor) == 0, rename(unfinished, file) == 0 else { throw failed() }
    }

    /// As 'drbench validate' does; with the bundle's files beside the mistakes that come from them.
    private func validate(_ scenario: ImportedScenario, in file: String) throws {
        guard let topologies = Installation.find()?.topologies else {
            throw EnvironmentError("the scenario cannot be validated: no topologies: \(Installation.obstacle)")
        }
        let library = ScenarioLibrary(scenarios: [], topologies: topologies, checks: .all)
        let (scenarios, diagnostics) = library.load(file: file)
        for diagnostic in diagnostics {
            Console.writeError(diagnostic.excerpt + "\n")
            if diagnostic.location.file == file, let origin = scenario.origins[diagnostic.location.line] {
                Console.error("    from the bundle's \(origin)")
            }
        }
        if diagnostics.hasErrors {
            throw invalid("'\(file)' is not valid yet: what is wrong in the bundle or missing there is to be added")
        }
        try scenarios.checkPlans()
    }

    /// How files in `origin` name those in `target`: relative if it is the same folder.
    private func prefix(from origin: String, to target: String) throws -> String {
        func real(_ path: String) throws -> String {
            guard let found = realpath(path, nil) else { throw invalid("there is no folder '\(path)'") }
            defer { free(found) }
            return String(cString: found)
        }
        let (start, end) = (try real(origin), try real(target))
        if start == end { return "" }
        return end.hasPrefix(start + "/") ? end.dropFirst(start.count + 1) + "/" : end + "/"
    }
}
