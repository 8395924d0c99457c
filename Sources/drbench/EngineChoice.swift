import ArgumentParser
import Engine
import Glibc

enum EngineName: String, ExpressibleByArgument, CaseIterable {
    case auto, uml, native
}

/// The engine that was taken, and why.
struct EngineChoice {
    var engine: any Engine
    var capabilities: Capabilities
    /// A sentence for the report.
    var explanation: String

    /// - Throws: `EnvironmentError` if the engine cannot run here.
    static func make(_ name: EngineName, kernelVersion: String) throws -> EngineChoice {
        switch name {
        case .uml:
            return try uml(labKernel(version: kernelVersion), because: "asked for")
        case .native:
            return try native(because: "asked for")
        case .auto:
            if let kernel = findLabKernel(version: kernelVersion) {
                return try uml(
                    kernel,
                    because: kernel.version == kernelVersion
                        ? "functional runs are repeatable there" : "no lab kernel \(kernelVersion) is built")
            }
            do {
                return try native(because: "no lab kernel is built; 'make kernel' builds one")
            } catch {
                throw EnvironmentError(
                    "no engine can run here: no lab kernel is built ('make kernel' builds one), and this host's own "
                        + "kernel cannot be used: \(error)")
            }
        }
    }

    private static func uml(_ kernel: LabKernel, because reason: String) throws -> EngineChoice {
        EngineChoice(
            engine: UMLEngine(kernel: kernel, program: Program.path), capabilities: try kernel.capabilities,
            explanation: "uml, Linux \(kernel.release) (\(reason))")
    }

    private static func native(because reason: String) throws -> EngineChoice {
        let engine = NativeEngine(program: Program.path)
        do {
            let capabilities = try engine.probe()
            return EngineChoice(
                engine: engine, capabilities: capabilities,
                explanation: "native, this host's Linux \(kernelRelease) (\(reason))")
        } catch {
            throw EnvironmentError("the native engine cannot run here: \(error)")
        }
    }

    static func findLabKernel(version: String) -> LabKernel? {
        LabKernel.choose(
            version: version, sources: Installation.find()?.kernelSources,
            caches: LabKernel.caches(environment: Environment.all))
    }

    static func labKernel(version: String) throws -> LabKernel {
        if let kernel = findLabKernel(version: version) { return kernel }
        throw EnvironmentError(
            "no lab kernel \(version) is built on this machine; 'drbench kernel build \(version)' or 'make kernel' "
                + "builds one")
    }

    static var kernelRelease: String {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
