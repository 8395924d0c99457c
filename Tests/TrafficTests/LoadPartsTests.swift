import Testing

@testable import Traffic

@Suite("The parts of a load")
struct LoadPartsTests {
    @Test("requests are planned at equal distances, whatever the rate, and none at the end itself")
    func schedule() {
        let three = RequestSchedule(start: 100, rate: 3, lasting: 1_000_000_000)
        #expect((0..<three.count).map(three.time) == [100, 333_333_433, 666_666_766])
        let one = RequestSchedule(start: 0, rate: 1, lasting: 500_000_000)
        #expect(one.count == 1)
        for rate in [1, 7, 1000, 999_983, 10_000_000] {
            let schedule = RequestSchedule(start: 5, rate: rate, lasting: 2_500_000_000)
            #expect(schedule.count == Int((2.5 * Double(rate)).rounded(.up)))
            #expect(schedule.time(of: schedule.count - 1) < 5 + 2_500_000_000)
            #expect(schedule.time(of: schedule.count) >= 5 + 2_500_000_000)
        }
    }

    @Test("a rate kept for an hour loses nothing to rounding")
    func longSchedule() {
        let schedule = RequestSchedule(start: 0, rate: 3, lasting: 3_600_000_000_000)
        #expect(schedule.count == 10_800)
        #expect(schedule.time(of: 3 * 3599) == 3_599_000_000_000)
    }

    @Test("a queue gives back what was put in, in that order, however it grows and shrinks")
    func queue() {
        var queue = Queue<Int>()
        var (next, expected) = (0, 0)
        for round in 0..<200 {
            for _ in 0..<(round % 90 + 50) {
                queue.append(next)
                next += 1
            }
            for _ in 0..<(round % 70 + 30) {
                guard let first = queue.popFirst() else { break }
                #expect(first == expected)
                expected += 1
            }
        }
        while let first = queue.popFirst() {
            #expect(first == expected)
            expected += 1
        }
        #expect(expected == next)
        #expect(queue.isEmpty)
    }

    private func head(_ text: String) -> MessageHead? {
        Array(text.utf8).withUnsafeBufferPointer { MessageHead($0) }
    }

    @Test("an answer's head: its status, its body's length, and whether the connection ends behind it")
    func answer() throws {
        let answer = try #require(head("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 1234\r\n\r\nbody"))
        #expect((answer.status, answer.body, answer.closes, answer.isChunked) == (200, 1234, false, false))
        #expect(answer.length == 52)
        #expect(head("HTTP/1.1 503 Busy\r\nConnection: Close\r\n\r\n")?.closes == true)
        #expect(head("HTTP/1.1 503 Busy\r\nConnection: Close\r\n\r\n")?.status == 503)
        #expect(head("HTTP/1.0 200 OK\r\n\r\n")?.closes == true)
        #expect(head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?.isChunked == true)
    }

    @Test("a head is none before its empty line, wherever it is cut")
    func partial() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        for length in 0..<whole.utf8.count {
            let part = Array(whole.utf8.prefix(length))
            #expect(part.withUnsafeBufferPointer { MessageHead($0) } == nil, "\(length)")
        }
        #expect(head("") == nil)
        #expect(head(whole)?.length == whole.utf8.count)
    }

    @Test("a request's head: what it asks for, and what a proxy put before it")
    func request() {
        #expect(head("GET /bytes/1000 HTTP/1.1\r\nHost: x\r\n\r\n")?.asked == 1000)
        #expect(head("GET / HTTP/1.1\r\nHost: x\r\n\r\n")?.asked == 0)
        #expect(head("POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n")?.body == 7)
        let proxied =
            "PROXY TCP4 198.51.100.10 203.0.113.2 4000 80\r\nGET /bytes/5 HTTP/1.1\r\nConnection: close\r\n\r\n"
        #expect(head(proxied)?.asked == 5)
        #expect(head(proxied)?.closes == true)
        #expect(head(proxied)?.length == proxied.utf8.count)
    }
}
