// swift-tools-version: 6.2
import PackageDescription

// Every room of the house (see README.md, "How it works") is a target; a target imports only what stands below it here.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "drbench",
    products: [
        .executable(name: "drbench", targets: ["drbench"]), .executable(name: "drbench-lab", targets: ["drbench-lab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/CoreOffice/XMLCoder", from: "0.18.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Module maps and shims over C libraries; no logic.
        .target(name: "CLinux"),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(
            name: "CNetlink", pkgConfig: "libnl-route-3.0 libnl-genl-3.0 libnetfilter_conntrack",
            providers: [
                .apt([
                    "libnl-3-dev", "libnl-genl-3-dev", "libnl-route-3-dev", "libnetfilter-conntrack-dev",
                ])
            ]),

        // Leaf rooms.
        .target(name: "Net", swiftSettings: settings),
        .target(name: "Text", swiftSettings: settings),
        .target(
            name: "Measurement", dependencies: [.product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: settings),
        .target(name: "Evidence", dependencies: ["Measurement", "Net"], swiftSettings: settings),
        .target(
            name: "History", dependencies: ["Measurement", "Text", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings),
        .target(
            name: "Kernel", dependencies: ["CLinux", "CNetlink", "Evidence", "Net", "Text"],
            swiftSettings: settings),
        .target(name: "Capture", dependencies: ["CPcap", "Evidence", "Net"], swiftSettings: settings),

        // The path of the data.
        .target(name: "Scenario", dependencies: ["Net", "Text"], swiftSettings: settings),
        .target(
            name: "Reading", dependencies: ["Net", "Scenario", "Text", .product(name: "Yams", package: "Yams")],
            swiftSettings: settings),
        .target(name: "Import", dependencies: ["Net", "Reading", "Text"], swiftSettings: settings),
        .target(name: "Plan", dependencies: ["Net", "Scenario"], swiftSettings: settings),
        .target(
            name: "Traffic",
            dependencies: [
                "CLinux", "Evidence", "Kernel", "Measurement", "Net",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: settings),
        .target(
            name: "Lab",
            dependencies: [
                "CLinux", "Capture", "Evidence", "Kernel", "Measurement", "Net", "Plan", "Scenario", "Traffic",
            ],
            swiftSettings: settings),
        .target(
            name: "Verdict", dependencies: ["Capture", "Evidence", "Measurement", "Net", "Scenario"],
            swiftSettings: settings),
        .target(
            name: "Engine", dependencies: ["CLinux", "Evidence", "Kernel", "Lab", "Net", "Plan", "Text"],
            swiftSettings: settings),
        .target(
            name: "Report",
            dependencies: [
                "Evidence", "Measurement", "Net", "Scenario", "Text", "Verdict",
                .product(name: "XMLCoder", package: "XMLCoder"),
            ],
            // In the program itself: it is one file, wherever it is put.
            resources: [
                .embedInCode("HTML/overview.js"), .embedInCode("HTML/page.css"), .embedInCode("HTML/scenario.js"),
            ], swiftSettings: settings),
        // What a lab kernel or private namespaces start; the smaller it is, the sooner a run begins.
        .executableTarget(name: "drbench-lab", dependencies: ["Engine"], swiftSettings: settings),
        .executableTarget(
            name: "drbench",
            dependencies: [
                "Capture", "Engine", "Evidence", "History", "Import", "Kernel", "Lab", "Measurement", "Plan", "Reading",
                "Report", "Scenario", "Text", "Verdict",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),

        .testTarget(name: "NetTests", dependencies: ["Net"], swiftSettings: settings),
        .testTarget(name: "TextTests", dependencies: ["Text"], swiftSettings: settings),
        .testTarget(
            name: "KernelTests", dependencies: ["CNetlink", "Evidence", "Kernel", "Net"], swiftSettings: settings),
        .testTarget(name: "CaptureTests", dependencies: ["CPcap", "Capture", "Net"], swiftSettings: settings),
        .testTarget(
            name: "ScenarioTests", dependencies: ["Evidence", "Net", "Reading", "Scenario"], swiftSettings: settings),
        .testTarget(
            name: "ImportTests", dependencies: ["Import", "Net", "Plan", "Reading", "Scenario"],
            resources: [.copy("Bundles")],
            swiftSettings: settings),
        .testTarget(
            name: "PlanTests", dependencies: ["Net", "Plan", "Reading", "Scenario"], resources: [.copy("Golden")],
            swiftSettings: settings),
        .testTarget(
            name: "TrafficTests", dependencies: ["CLinux", "Evidence", "Kernel", "Measurement", "Net", "Traffic"],
            swiftSettings: settings),
        .testTarget(
            name: "VerdictTests",
            dependencies: ["Capture", "Evidence", "Measurement", "Net", "Reading", "Scenario", "Verdict"],
            exclude: ["Runs"], swiftSettings: settings),
        .testTarget(
            name: "ReportTests",
            dependencies: ["Capture", "Evidence", "Net", "Reading", "Report", "Scenario", "Verdict"],
            exclude: ["Browser"], swiftSettings: settings),
        .testTarget(
            name: "EngineTests", dependencies: ["Capture", "Engine", "Evidence", "Lab", "Net", "Plan"],
            exclude: ["Bench"],
            swiftSettings: settings),
        .testTarget(
            name: "HistoryTests",
            dependencies: ["History", "Measurement", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings),
        // What HistoryTests kills while it writes.
        .executableTarget(
            name: "keeper", dependencies: ["History", "Measurement"], path: "Tests/Keeper", swiftSettings: settings),
        // Programs that EngineTests runs: an init that misbehaves, one that tries what the lab kernel's patches could have
        // broken, and a witness of what drbench leaves behind.
        .executableTarget(name: "misfit", path: "Tests/Misfit"),
        .executableTarget(name: "trial", path: "Tests/Trial"),
        .executableTarget(name: "overseer", path: "Tests/Overseer"),
        // Changed files for the built program: see 'make fuzz'.
        .executableTarget(name: "fuzz", path: "Tests/Fuzz", exclude: ["Corpus"], swiftSettings: settings),
        // The built program as a whole; see DRBENCH_PROGRAM in the Makefile.
        .testTarget(
            name: "SuiteTests",
            dependencies: [
                "CLinux", "Capture", "Evidence", "Kernel", "Measurement", "Net", "Plan", "Reading", "Scenario",
                "Traffic", "Verdict",
            ],
            exclude: ["Mechanisms.txt", "Scenarios"], swiftSettings: settings),
    ]
)
