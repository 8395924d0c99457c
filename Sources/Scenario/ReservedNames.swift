/// Names of drbench's own files in the folders that it writes: no scenario, whose folder is beside them, can have one.
public enum ReservedNames {
    /// In the folder of all results, `--out`. `mutations` is where 'drbench mutate' keeps its own.
    public static let inResults = ["index.html", "junit.xml", "measurements.json", "mutations", "results.json"]
    /// What a name in the folder of all results cannot end with: plots and their programs.
    public static let suffixesInResults = [".gp", ".svg"]
    /// In a run's folder. Variants have theirs in `variants`, so that they can have any name.
    public static let inRun = [
        "capture.pcapng", "commented.pcapng", "console.log", "evidence.json", "plan.json", "programs", "report.html",
        "rules", "variants",
    ]

    /// Whether a scenario cannot have the name, because its folder would be one of drbench's own files. Names that begin
    /// with a dot are all drbench's.
    public static func takes(scenario name: String) -> Bool {
        name.hasPrefix(".") || inResults.contains(name) || suffixesInResults.contains { name.hasSuffix($0) }
    }
}
