public import Lab
public import Plan

/// Carries a plan to a kernel.
public protocol Engine: Sendable {
    /// `uml` or `native`.
    var name: String { get }

    /// Runs a plan to its end and leaves its evidence in the request's folder. Blocks the calling thread, which must not
    /// be one of Swift's cooperative pool; the laboratory dies with that thread.
    /// - Parameter observe: called on the same thread for every event.
    func run(_ request: RunRequest, observe: (LabEvent) -> Void) throws(RunFailure)

    /// Runs plans one after another on one and the same boot of a kernel, in real time: so that what differs from boot to
    /// boot is no difference between them. Blocks as `run` does.
    /// - Parameters:
    ///   - directory: above the folders of all requests, and nobody else's. Absolute.
    ///   - ended: called on the same thread when one has ended, in their order: with what its laboratory named as a problem,
    ///     and why it did not come to its end.
    func runInTurn(
        _ requests: [RunRequest], in directory: String, ended: @escaping (Int, [String], RunFailure?) -> Void)
}

extension Engine {
    /// For an engine that boots nothing, or where nobody cares.
    public func runInTurn(
        _ requests: [RunRequest], in directory: String, ended: @escaping (Int, [String], RunFailure?) -> Void
    ) {
        for (index, request) in requests.enumerated() {
            let (problems, failure) = outcome(of: request)
            ended(index, problems, failure)
        }
    }

    /// Runs a plan to its end: what its laboratory named as a problem, and why it did not come to its end. Blocks as `run`
    /// does.
    public func outcome(of request: RunRequest) -> (problems: [String], failure: RunFailure?) {
        var problems: [String] = []
        do throws(RunFailure) {
            try run(request) { event in
                if case .problem(let text) = event { problems.append(text) }
            }
        } catch {
            return (problems, error)
        }
        return (problems, nil)
    }
}

/// A plan to run, and how.
public struct RunRequest: Sendable {
    public var plan: Plan
    /// Where evidence goes; exists and belongs to this run alone. Absolute.
    public var directory: String
    /// What all randomness of a guest kernel follows from.
    public var seed: UInt64
    /// Whether the guest's clock is the host's instead of jumping to the next timer.
    public var realTime: Bool
    /// Wall-clock limit in seconds; past it the laboratory is ended.
    public var timeLimit: Double
    /// How many steps of the plan are carried out; nil for all.
    public var until: Int?
    /// Who may come when they are; nil if it ends then.
    public var visit: Visit?

    /// The plan that is carried out. What a guest is made for is the whole one: so it is the same run, only shorter.
    /// - Parameters:
    ///   - next: where the next plan of the same boot is, below the folder of all.
    ///   - unconfined: what this host lacks to confine it.
    func carriedOut(next: String? = nil, unconfined: String?) -> Plan {
        var plan = plan
        if let until { plan.steps = Array(plan.steps.prefix(until)) }
        let orders = Plan.Orders(
            visit: visit.map { $0.comesAfterEvidence ? .afterEvidence : .beforeEvidence }, next: next,
            unconfined: unconfined)
        plan.orders = orders == Plan.Orders() ? nil : orders
        return plan
    }

    public init(plan: Plan, directory: String, seed: UInt64, realTime: Bool = false, timeLimit: Double = 120) {
        self.plan = plan
        self.directory = directory
        self.seed = seed
        self.realTime = realTime
        self.timeLimit = timeLimit
    }
}

/// The names of the files in a run's folder.
public enum RunFiles {
    public static let plan = "plan.json"
    public static let evidence = "evidence.json"
    public static let capture = "capture.pcapng"
    public static let console = "console.log"
    public static let rules = "rules"

    /// A folder with what the scenario's programs printed.
    public static let programs = "programs"

    public static let all = [plan, evidence, capture, console, rules, programs]
}
