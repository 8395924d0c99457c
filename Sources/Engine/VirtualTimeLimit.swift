internal import Plan

extension Plan {
    /// Seconds of virtual time in which a run of this plan has certainly ended: every time limit and pause in it, an hour
    /// for each program that it runs, and an hour for everything that takes no time by itself.
    ///
    /// A lab kernel whose programs all wait for what never comes does not stand still: the kernel's own timers drive its
    /// clock on, thousands of times faster than the wall's. By this limit the guest itself notices.
    var virtualTimeLimit: Int {
        let hour = 3600.0
        let nanoseconds = 1e-9
        var sum = hour + Double(settle) * nanoseconds
        for step in steps { sum += Double(step.meanwhile.last?.after ?? 0) * nanoseconds }
        for action in actions {
            switch action {
            case .request(let request):
                sum += Double(max(request.interval, request.timeout)) * nanoseconds * Double(request.count)
            case .load(let load): sum += Double(load.warmUp + load.duration + 2 * load.timeout) * nanoseconds
            case .open(_, let request): sum += Double(request.timeout) * nanoseconds
            case .use(_, _, let timeout): sum += Double(timeout) * nanoseconds
            case .wait(let duration): sum += Double(duration) * nanoseconds
            case .run, .start, .stop: sum += hour
            case .send(_, _, _, let count, let interval): sum += Double(interval) * nanoseconds * Double(count)
            case .close, .operations, .powerOff: break
            }
        }
        return Int(sum)
    }
}
