import ArgumentParser
import Engine
import Glibc

enum EngineName: String, ExpressibleByArgument, CaseIterable {
    case auto, uml, native
}

/// Where a command's scenarios are to run.
struct EngineOptions: ParsableArguments {
    @Option(help: "Where a scenario runs: uml (the lab kernel), native (this host's kernel), or auto.")
    var engine: EngineName = .auto

    @Option(
        name: .customLong("kernel"),
        help: ArgumentHelp(
            "The lab kernel's version (default: \(LabKernel.defaultVersion)); implies uml.", valueName: "version"))
    var kernelVersion: String?

    func validate() throws {
        if engine == .native, kernelVersion != nil {
            throw ValidationError("--kernel names a lab kernel; the native engine has this host's own")
        }
        try OptionChecks.kernelVersion(kernelVersion, of: "--kernel")
    }

    /// - Parameter needs: what is to be known of the engine's kernel; nil for everything.
    /// - Throws: `EnvironmentError` if the engine cannot run here.
    func choose(needs: Set<String>? = nil) throws -> EngineChoice {
        let choice = try EngineChoice.make(engine, kernelVersion: kernelVersion, needs: needs)
        if let gap = choice.gap { Console.error("drbench: runs are not confined: \(gap)") }
        return choice
    }
}

/// The engine that was taken, and why.
struct EngineChoice {
    var engine: any Engine
    var capabilities: Capabilities
    /// A sentence for the report.
    var explanation: String
    /// What keeps runs from being confined to their own files here, as a sentence; nil if nothing does.
    var gap: String?

    /// - Parameter needs: what is to be known of the engine's kernel; nil for everything.
    /// - Throws: `EnvironmentError` if the engine cannot run here.
    static func make(
        _ name: EngineName, kernelVersion: String?, needs: Set<String>? = nil
    ) throws -> EngineChoice {
        switch (name, kernelVersion) {
        case (.native, _):
            // Whether there can be namespaces at all shows when the first plan is run.
            let known = needs?.isEmpty == true ? Capabilities(reasons: [:]) : nil
            return try native(needs, known: known, because: "asked for")
        case (.uml, _), (.auto, .some):
            return try uml(labKernel(version: kernelVersion ?? LabKernel.defaultVersion), because: "asked for")
        case (.auto, nil):
            // Never another engine in its place: there a scenario's commands would run on this host's own kernel.
            let kernel = try labKernel(version: LabKernel.defaultVersion)
            let reason =
                kernel.version == LabKernel.defaultVersion
                ? "functional runs are repeatable there" : "no lab kernel \(LabKernel.defaultVersion) is built"
            return try uml(kernel, because: reason)
        }
    }

    private static func uml(_ kernel: LabKernel, because reason: String) throws -> EngineChoice {
        let engine = UMLEngine(kernel: kernel, program: Program.laboratory)
        if let obstacle = engine.obstacle { throw EnvironmentError(obstacle) }
        return EngineChoice(
            engine: engine, capabilities: try kernel.capabilities,
            explanation: "uml, Linux \(kernel.release) (\(reason))", gap: Confinement.ofThisHost.gap)
    }

    /// - Parameter known: what the engine can do, if that need not be tried.
    private static func native(
        _ needs: Set<String>?, known: Capabilities? = nil, because reason: String
    ) throws -> EngineChoice {
        let engine = NativeEngine(program: Program.laboratory)
        do {
            let capabilities = try known ?? needs.map { try engine.probe(for: $0) } ?? engine.probe()
            return EngineChoice(
                engine: engine, capabilities: capabilities,
                explanation: "native, this host's Linux \(kernelRelease) (\(reason))", gap: try engine.gap())
        } catch {
            throw EnvironmentError("this host's kernel cannot be used: \(error)")
        }
    }

    static func findLabKernel(version: String) -> LabKernel? {
        LabKernel.choose(
            version: version, sources: Installation.find()?.kernelSources,
            caches: LabKernel.caches(environment: Environment.all))
    }

    static func labKernel(version: String) throws -> LabKernel {
        if let kernel = findLabKernel(version: version) { return kernel }
        let caches = LabKernel.caches(environment: Environment.all)
        throw EnvironmentError(
            (["no lab kernel \(version) is built on this machine ('drbench kernel build \(version)' builds one)"]
                + LabKernel.unreadable(caches: caches)).joined(separator: "; "))
    }

    static var kernelRelease: String {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
