public import Capture
public import Evidence
internal import Measurement

/// Whether a capture file holds what the run's evidence says was captured: the promise that no frame is missing.
public enum CaptureAccount {
    /// The first thing in which the two disagree, as a sentence; nil if they agree.
    ///
    /// The file must have the evidence's ports in their order, for each port as many frames as it received, and statistics
    /// that say the same. Of evidence that is not complete no numbers are asked: its capture may have been saved a moment
    /// later.
    public static func disagreement(_ capture: CaptureFile, _ evidence: Evidence) -> String? {
        if let damage = capture.damage { return "\(damage)" }
        if let mistake = ports(capture, evidence) ?? frames(capture, evidence) { return mistake }
        return evidence.complete ? numbers(capture, evidence) : nil
    }

    private static func ports(_ capture: CaptureFile, _ evidence: Evidence) -> String? {
        for (index, (port, wanted)) in zip(capture.ports, evidence.ports).enumerated() {
            if port.name != wanted.name {
                return "the capture file's interface \(index) is '\(port.name)', the run's is '\(wanted.name)'"
            }
            if port.linkType != CaptureFile.Port.ethernet {
                return "the capture file's '\(port.name)' is no Ethernet interface (link type \(port.linkType))"
            }
            if port.filter != nil { return "the capture file's '\(port.name)' was filtered" }
        }
        guard capture.ports.count == evidence.ports.count else {
            return "the capture file has \(capture.ports.count.of("interface")), the run had \(evidence.ports.count)"
        }
        return nil
    }

    private static func frames(_ capture: CaptureFile, _ evidence: Evidence) -> String? {
        for (number, frame) in capture.frames.enumerated() {
            // Ports are as many as the file's interfaces, which the reader has checked frames against.
            let place = "frame \(number + 1), at \(evidence.ports[frame.port].name),"
            if frame.octets.count > frame.wireLength {
                return "\(place) has \(frame.octets.count) bytes of \(frame.wireLength) on the wire"
            }
            guard evidence.complete else { continue }
            if frame.time < evidence.started {
                return "\(place) is older than the run: the clock was set back, or the file is another run's"
            }
            if frame.time.subtractingSaturated(evidence.started) > Evidence.greatestTime {
                return "\(place) is of a time long after the run"
            }
        }
        return nil
    }

    private static func numbers(_ capture: CaptureFile, _ evidence: Evidence) -> String? {
        var frames = [Int](repeating: 0, count: capture.ports.count)
        for frame in capture.frames { frames[frame.port] += 1 }
        for (index, port) in evidence.ports.enumerated() {
            guard frames[index] == port.received else {
                return
                    "the capture file has \(frames[index].of("frame")) of \(port.name), which received \(port.received)"
            }
            guard let counted = capture.statistics[index] else {
                return "the capture file has no statistics of \(port.name): its end is missing"
            }
            guard capture.statisticsBlocks[index] == 1, counted.delivered == port.received,
                counted.dropped == port.dropped
            else {
                return "the capture file's statistics of \(port.name) say \(counted.delivered) received and "
                    + "\(counted.dropped) lost, the run's evidence \(port.received) and \(port.dropped)"
            }
        }
        return nil
    }
}
