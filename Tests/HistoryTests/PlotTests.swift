import FoundationEssentials
import Glibc
import Measurement
import Testing

@testable import History

@Suite("Plots")
struct PlotTests {
    let workplace: Workplace

    init() throws { workplace = try Workplace() }

    static let hasGnuplot =
        (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").contains {
            access("\($0)/gnuplot", X_OK) == 0
        }

    /// DR and NAT over 1 to 16 real servers, three repetitions each.
    static var study: MeasuredRun {
        var run = MeasuredRun(started: 1_760_000_000, context: .sample(clock: .virtual))
        for (mode, most, share) in [("DR", 16, 0.1), ("NAT", 4, 1.0)] {
            for servers in [1, 2, 4, 8, 16] {
                for repetition in 1...3 {
                    let rate = 1000 * Double(min(servers, most)) * (1 + Double(repetition - 2) / 20)
                    let slowest = UInt64(400 / min(servers, most)) * (mode == "DR" ? 10 : 25)
                    run.measurements.append(
                        Measurement(
                            scenario: "modes/\(mode.lowercased())-\(servers)", load: "closed loop",
                            parameters: ["mode": mode, "real_servers": "\(servers)"], repetition: repetition,
                            metrics: [
                                Metric("requests_per_second", rate, unit: "requests per second", better: .higher),
                                Metric("director_share", share, unit: "ratio", better: .lower),
                            ],
                            latency: LatencyDistribution(
                                significantDigits: 3,
                                buckets: (1...60).map { step in
                                    .init(
                                        nanoseconds: UInt64(step) * slowest * 1000,
                                        count: UInt64(600 / (step * step) + 1))
                                })))
                }
            }
        }
        return run
    }

    @Test("throughput and the director's share over real servers by mode, latencies for each number of real servers")
    func ofAStudy() throws {
        let ofRun = Plots.of(Self.study)
        let plots = ofRun.overParameters + ofRun.latencies
        #expect(ofRun.latencies.count == 5)
        #expect(
            plots.map(\.title) == [
                "requests per second, modes, closed loop", "director share, modes, closed loop",
                "latency p50, modes, closed loop", "latency p90, modes, closed loop", "latency p99, modes, closed loop",
                "latency p99.9, modes, closed loop",
            ] + [1, 2, 4, 8, 16].map { "latency, modes, closed loop, real servers \($0)" })
        #expect(Set(plots.map(\.name)).count == plots.count)
        let rate = try #require(plots.first)
        #expect(rate.name == "requests-per-second-modes-closed-loop")
        #expect(rate.script.contains("set logscale x 2\n"))
        #expect(rate.script.contains("set ylabel 'requests per second (k)'"))
        #expect(rate.script.contains("16.0 16.0 15.2 16.8\nEND"))
        #expect(rate.script.contains("title 'DR'"))
        #expect(rate.script.contains("title 'NAT'"))
        #expect(rate.summary.hasPrefix("real servers 1, DR: 1 k; real servers 2, DR: 2 k; "))
        #expect(plots[1].script.contains("16.0 100.0 100.0 100.0\nEND"))
        #expect(plots[1].script.contains("set ylabel 'director share (%)'"))
    }

    @Test("where only words vary there is a bar for each; where nothing does there is no plot")
    func bars() {
        var run = MeasuredRun.sample([10, 12], parameters: ["mode": "DR"])
        #expect(Plots.of(run).overParameters.isEmpty)
        run.measurements += MeasuredRun.sample([20], scenario: "modes/nat", parameters: ["mode": "NAT"]).measurements
        let plots = Plots.of(run).overParameters
        #expect(plots.count == 1)
        #expect(plots.first?.script.contains("with boxes") == true)
        #expect(plots.first?.script.contains("set xtics ('DR' 0.0, 'NAT' 1.0)") == true)
        #expect(plots.first?.script.contains("0.0 11.0 10.0 12.0") == true)
        for index in run.measurements.indices { run.measurements[index].metrics[0].value = 0 }
        #expect(Plots.of(run).overParameters.isEmpty)
    }

    @Test("of a parameter with two values for every mode the curves are pairs, whole and dashed")
    func pairs() {
        let cells = ["dr", "nat"].flatMap { mode in
            ["on", "off"].flatMap { security in
                ["1", "16"].map { ["mode": mode, "port_security": security, "real_servers": $0] }
            }
        }
        let key = CurveKey(cells, besides: "real_servers")
        #expect(
            cells.map(key.look) == [
                .init(colour: 0, isDashed: false, title: "dr"), .init(colour: 0, isDashed: false, title: "dr"),
                .init(colour: 0, isDashed: true, title: nil), .init(colour: 0, isDashed: true, title: nil),
                .init(colour: 1, isDashed: false, title: "nat"), .init(colour: 1, isDashed: false, title: "nat"),
                .init(colour: 1, isDashed: true, title: nil), .init(colour: 1, isDashed: true, title: nil),
            ])
        #expect(key.label(cells[2]) == "dr, port security off")
        #expect(key.pairEntries(hasPoints: true).map { $0.hasSuffix("'port security on'") } == [true, false])
        // One that lacks its partner is told by its colour, as all are then.
        let lone = CurveKey(Array(cells.dropLast(2)), besides: "real_servers")
        #expect(lone.look(of: cells[2]) == .init(colour: 1, isDashed: false, title: "dr, port security off"))
        #expect(lone.pairEntries(hasPoints: true).isEmpty)
        // Two modes are two colours.
        let modes = CurveKey([["mode": "dr"], ["mode": "nat"]], besides: nil)
        #expect(modes.look(of: ["mode": "nat"]) == .init(colour: 1, isDashed: false, title: "nat"))
    }

    @Test("a distribution's curve is at each percentile where the quantile is")
    func latencyPoints() {
        let distribution = LatencyDistribution(
            significantDigits: 3,
            buckets: [
                .init(nanoseconds: 1_000_000, count: 90), .init(nanoseconds: 2_000_000, count: 9),
                .init(nanoseconds: 9_000_000, count: 1),
            ])
        let points = LatencyPlot.points(of: distribution)
        #expect(points.map { ($0.inverse * 1000).rounded() / 1000 } == [1, 10, 10, 100, 100, 100])
        #expect(points.map(\.seconds) == [0.001, 0.001, 0.002, 0.002, 0.009, 0.009])
        #expect(LatencyPlot.plot(name: "n", title: "t", [], key: CurveKey([], besides: nil)) == nil)
    }

    private var trend: Trend? {
        let runs = (1...20).map { number in
            let value = (number < 13 ? 100.0 : 80) + Double(number * 7 % 5) / 2
            return (
                number: number,
                run: MeasuredRun.sample([value, value + 1], started: Int64(number) * 86400, parameters: [:])
            )
        }
        return Trend.all(runs).first
    }

    @Test("a trend is drawn with its levels and where they change")
    func trends() throws {
        let trend = try #require(trend)
        #expect(TrendPlot.levels(of: trend).map(\.start) == [-0.5, 11.5])
        #expect(TrendPlot.levels(of: trend).map(\.end) == [11.5, 19.5])
        let plot = try #require(Plots.of([trend]).first)
        #expect(plot.script.contains("set arrow from 11.5, graph 0 to 11.5, graph 1 nohead"))
        #expect(plot.summary.hasPrefix("20 runs; −20"))
        #expect(plot.summary.hasSuffix(" since run 13"))
    }

    @Test("no name can become a command of gnuplot or an element of the page")
    func quoting() {
        #expect(GnuplotScript.quoted("it's\n`date`") == "'it''s<U+000A>`date`'")
        #expect(SVGText.escaped("<a href=\"&\">") == "&lt;a href=&quot;&amp;&quot;&gt;")
        #expect(
            SVGText.hexadecimal("'rgb( 82,  96, 109)' rgb(0,255,16) rgb(x) rgb(") == "'#52606d' #00ff10 rgb(x) rgb(")
    }

    @Test("gnuplot draws them, for light and dark", .enabled(if: hasGnuplot, "gnuplot is not installed"))
    func drawn() throws {
        var run = Self.study
        let trap = "x'; system('touch \(workplace.folder)/trap'); print `touch \(workplace.folder)/trap` <b> & @m $x"
        for index in run.measurements.indices where run.measurements[index].parameters["mode"] == "NAT" {
            run.measurements[index].parameters["mode"] = trap
        }
        // Of what it measured, not of what others did.
        var own = try #require(trend)
        own.series = MeasuredSeries(run.measurements[0])
        var other = own
        other.series.scenario = "somewhere/else"
        let folder = workplace.folder + "/it's here"
        let path = try MeasuredReport.write(run, number: 7, trends: [own, other], in: folder)
        let ofRun = Plots.of(run)
        let plots = ofRun.overParameters + ofRun.latencies + Plots.of([own])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names == (["index.html"] + plots.flatMap { ["\($0.name).gp", "\($0.name).svg"] }).sorted())
        #expect(!FileManager.default.fileExists(atPath: workplace.folder + "/trap"))
        for plot in plots {
            let svg = try String(contentsOf: URL(filePath: "\(folder)/\(plot.name).svg"), encoding: .utf8)
            #expect(svg.contains("prefers-color-scheme:dark"))
            #expect(!svg.contains("rgb("))
            #expect(!svg.contains("<b>"))
            // Every colour that was asked for is there by the name that the rule for dark grounds has.
            #expect(svg.contains("fill=\"\(PlotColours.ink.light)\""))
            #expect(svg.contains("stroke='\(PlotColours.line.light)'"))
        }
        let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        #expect(text.contains("<title>modes</title>"))
        #expect(!text.contains("<b>"))
        #expect(!text.contains("http://") && !text.contains("https://"))
        #expect(text.components("<figure>") == plots.count)
        #expect(text.components("<tr>") == 1 + 10)
    }

    @Test(
        "a program that gnuplot does not understand is an error with what it says",
        .enabled(if: hasGnuplot, "gnuplot is not installed"))
    func failure() {
        let plot = Plot(name: "wrong", title: "", summary: "", script: "plot nonsense of mine\n")
        let error = #expect(throws: PlotError.self) { try Gnuplot.draw([plot], in: workplace.folder) }
        #expect(error?.description.hasPrefix("gnuplot failed: ") == true)
    }
}

extension String {
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
