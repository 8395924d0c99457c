internal import Glibc

/// A thread that carries out one closure after another and belongs to its owner alone.
///
/// What Linux keeps per thread (a network namespace) stays where it was put, as it would not on a thread of Swift's
/// cooperative pool.
public final class OwnedThread: Sendable {
    private let state: State
    private let thread: pthread_t

    /// Starts the thread. It inherits the calling thread's namespaces.
    ///
    /// Errors: EAGAIN when the process may have no more threads.
    public init() throws(KernelError) {
        let state = State()
        self.state = state
        let box = Unmanaged.passRetained(state)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<State>.fromOpaque(argument).takeRetainedValue().work() }
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw KernelError("start a thread", code: code)
        }
        self.thread = thread
    }

    deinit {
        stop()
    }

    /// Carries `body` out on the thread and waits for it. On the thread itself it is simply called.
    ///
    /// Errors: whatever `body` throws; ESHUTDOWN after `stop()`.
    public func run<T: Sendable>(_ body: @Sendable () throws -> T) throws -> T {
        if pthread_equal(pthread_self(), thread) != 0 { return try body() }
        return try withoutActuallyEscaping(body) { body in
            let job = Job()
            let result = Outcome<T>()
            job.body = { result.value = Result(catching: body) }
            // The job, and with it the closure, must be gone when the caller's `body` is.
            defer { job.body = nil }
            guard state.carryOut(job), let value = result.value else {
                throw KernelError("use a thread", code: ESHUTDOWN)
            }
            return try value.get()
        }
    }

    /// Has `body` carried out on the thread without waiting for it.
    public func begin(_ body: @escaping @Sendable () -> Void) {
        let job = Job()
        job.body = body
        state.add(job)
    }

    /// Lets the thread finish what it was given, and waits for its end. May be called again.
    public func stop() {
        guard state.stop() else { return }
        if pthread_equal(pthread_self(), thread) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }
}

/// Written by the thread, read by the caller once `Job.done` says so under the mutex.
private final class Outcome<T>: @unchecked Sendable {
    var value: Result<T, any Error>?
}

private final class Job: @unchecked Sendable {
    var body: (() -> Void)?
    var done = false
}

/// The queue between callers and the thread. Condition variables rather than polling: in the lab kernel's virtual time
/// a thread that polls stops the clock.
private final class State: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [Job] = []
    private var stopped = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
        pthread_cond_init(finished, nil)
    }

    deinit {
        pthread_cond_destroy(finished)
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        finished.deallocate()
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Hands the job over and waits until it is done; false if the thread has been stopped.
    func carryOut(_ job: Job) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !stopped else { return false }
        queue.append(job)
        pthread_cond_signal(arrived)
        while !job.done { pthread_cond_wait(finished, mutex) }
        return true
    }

    func add(_ job: Job) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        queue.append(job)
        pthread_cond_signal(arrived)
    }

    /// Whether this was the first call.
    func stop() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !stopped else { return false }
        stopped = true
        pthread_cond_signal(arrived)
        return true
    }

    /// The thread's life: jobs in the order in which they came, until stopped and out of jobs.
    func work() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            while queue.isEmpty, !stopped { pthread_cond_wait(arrived, mutex) }
            guard !queue.isEmpty else { return }
            let job = queue.removeFirst()
            pthread_mutex_unlock(mutex)
            job.body?()
            pthread_mutex_lock(mutex)
            job.done = true
            pthread_cond_broadcast(finished)
        }
    }
}
