/// How much a scenario may ask for: whatever a file can multiply has a bound, which is checked before anything is made of it.
///
/// They are far beyond what any shipped scenario needs. README.md has them as a table, the JSON schema where it can.
public enum Limits {
    // MARK: Files

    /// Bytes of a scenario's or topology's file.
    public static let fileBytes = 1_000_000
    /// Bytes of a file with rules: what `iptables-save` and its relatives print.
    public static let dumpBytes = 16_000_000
    /// How deep lists and mappings stand in each other, parameters put in.
    public static let depth = 100
    /// Values (scalars, lists, mappings) of a file, each alias counted as what it stands for; and again of a scenario when
    /// its parameters are put in.
    public static let values = 200_000
    /// Bytes of text of a file, each alias counted as what it stands for; and again of what parameters make in one scenario.
    public static let textBytes = 4_000_000
    /// Scenarios of a file: itself, variants, the matrix's cells.
    public static let scenarios = 10_000
    /// Values of all scenarios of a file together, each with its topology; the same for mutations.
    public static let valuesOfAllScenarios = 10_000_000
    /// Mistakes of a file that are told.
    public static let mistakes = 100

    // MARK: Names

    /// Bytes of the name of a scenario, a variant, a cell or a mutation: two of them and a suffix make a file's name, which has
    /// at most 255 (NAME_MAX).
    public static let scenarioName = 120
    /// Bytes of any other name that is no interface's.
    public static let word = 63
    /// Bytes of an interface's name: IFNAMSIZ is 16 with the closing zero.
    public static let interfaceName = 15
    /// Characters of a title, a step's name or a tag.
    public static let line = 500
    /// Bytes of a path of a program's file.
    public static let path = 255

    // MARK: The network

    public static let hosts = 1_000
    public static let hypervisors = 200
    public static let switches = 200
    public static let networks = 200
    public static let securityGroups = 1_000
    public static let services = 1_000
    /// Ports, interfaces, servers or programs of a host.
    public static let partsOfHost = 200
    /// Entries of one list or mapping of a host, a hypervisor, a group or a service: addresses, pairs, routes, neighbours,
    /// sysctls, rules, real servers.
    public static let entries = 10_000
    /// Ports of all hosts together.
    public static let ports = 2_000
    /// Bridges: networks times hypervisors and switches.
    public static let bridges = 10_000
    /// Rules that port security makes for all ports together, a rule for each member of a remote group, and all of them again
    /// for each move.
    public static let portSecurityRules = 500_000
    /// Bytes of all rules, programs' files and commands of a plan, those that a step loads or starts anew included.
    public static let planBytes = 64_000_000
    /// Changes to the kernel that a plan has: interfaces, addresses, settings, rule sets.
    public static let operations = 1_000_000
    /// Bytes of one rule, one sysctl's value.
    public static let ruleLine = 4_095
    /// Nanoseconds by which a cable may delay a frame.
    public static let delay: Int64 = 3_600 * second
    /// Bits per second of a cable.
    public static let rate: Int64 = 1_000_000_000_000

    // MARK: What happens

    public static let second: Int64 = 1_000_000_000
    public static let steps = 10_000
    /// Moves of hosts.
    public static let moves = 1_000
    /// What one step has happen meanwhile.
    public static let meanwhile = 1_000
    /// Loads of a scenario.
    public static let loads = 100
    /// Nanoseconds of one wait, interval or duration.
    public static let duration: Int64 = 10 * 86_400 * second
    /// Nanoseconds for one answer.
    public static let timeout: Int64 = 3_600 * second
    /// Nanoseconds that all steps together can take by what they say: waits, intervals, time limits.
    public static let virtualTime: Int64 = 30 * 86_400 * second
    /// Requests of one step, and of all steps together.
    public static let requests = 100_000
    /// Bytes that one answer is asked to have.
    public static let requestBytes = 100_000_000
    /// Bytes of all answers together that steps (not loads) ask for.
    public static let allRequestBytes = 1_000_000_000
    /// Packets that `send` steps send together.
    public static let packets = 1_000_000
    /// Bytes of the different frames that `send` steps send.
    public static let frameBytes = 16_000_000
    /// Bytes of what one packet of a `send` step carries: an IP packet's 65535 less its headers.
    public static let payload = 65_000
    /// Requests a second of a load, and its connections.
    public static let loadRate = 10_000_000
    public static let connections = 1_000_000
    /// Requests that a load with a rate plans: the rate times warm-up and duration.
    public static let loadRequests = 100_000_000
    /// Nanoseconds of a load's warm-up, and of its measured time.
    public static let loadDuration: Int64 = 3_600 * second
    /// Bytes of the arguments of one command (Linux takes 128 KiB for one: MAX_ARG_STRLEN), and how many.
    public static let commandBytes = 100_000
    public static let arguments = 1_000

    // MARK: What is expected

    /// Expectations of a scenario, alternatives counted each.
    public static let expectations = 20_000
    /// Bytes of a packet filter.
    public static let filterBytes = 4_096
    /// What a count, a size or a rate of an expectation can be.
    public static let count = 1_000_000_000_000_000
}
