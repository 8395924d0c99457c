#ifndef DRBENCH_LOAD_H
#define DRBENCH_LOAD_H
// What loads are made with: readiness of many sockets, and sockets for TCP and UDP. glibc declares epoll_pwait2 and accept4
// only with _GNU_SOURCE, and Swift imports neither bit-fields of socket types nor CMSG_ macros.

#include <stddef.h>
#include <stdint.h>

// As struct epoll_event, whose union Swift would have to take apart.
struct drb_ready {
    uint32_t events;
    uint64_t token;
}
#ifdef __x86_64__
__attribute__((packed))
#endif
;

enum { drb_readable = 1, drb_writable = 2, drb_broken = 4, drb_hung_up = 8 };

// An epoll instance, close-on-exec. The descriptor, or -1 with errno.
int drb_poller(void);
// Watches a descriptor, edge-triggered, both ways, or level-triggered for reading only. 0, or -1 with errno.
int drb_watch(int poller, int descriptor, uint64_t token, int edges);
// Waits until something is ready, at most so many nanoseconds (for ever if negative), and says what, with the drb_… bits.
// The number of entries, or -1 with errno.
int drb_await(int poller, struct drb_ready *ready, int count, int64_t nanoseconds);

// A socket, non-blocking and close-on-exec; `family` is 4 or 6. The descriptor, or -1 with errno.
int drb_load_socket(int family, int is_stream);
// Connects to 4 or 16 octets of address, as `family` says. 0, or a negative errno; -EINPROGRESS is none.
int drb_load_connect(int descriptor, int family, const uint8_t *address, uint16_t port);
// SO_ERROR. 0 or a positive errno.
int drb_socket_error(int descriptor);

// Listens on every address, IPv4 and, where the kernel has it, IPv6; what is accepted has TCP_NODELAY. The descriptor, or a
// negative errno.
int drb_listen(uint16_t port);
// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC. The descriptor, or -1 with errno.
int drb_accept(int listener);
// send(2) and recv(2) without SIGPIPE; `more` says that the rest of a packet follows. Octets, or -1 with errno.
long drb_send(int descriptor, const void *octets, size_t count, int more);
long drb_receive_some(int descriptor, void *octets, size_t count);
// Receives octets of a TCP stream and throws them away in the kernel (MSG_TRUNC, see tcp(7)). Octets, or -1 with errno.
long drb_discard(int descriptor, size_t count);

// Octets that were given to a TCP socket and not acknowledged yet (SIOCOUTQ). 0 for what is none.
long drb_unacknowledged(int descriptor);

// A UDP socket bound to a port of every address, which tells where datagrams were sent to. The descriptor, or a negative
// errno.
int drb_datagram_server(uint16_t port);
// Answers the datagrams that there are, at most `count`: each with its own first 16 octets, from the address that it was sent
// to, in as many octets as its fifth to eighth octet say (big-endian). Returns how many it took, or -1 with errno.
int drb_answer_datagrams(int descriptor, int count);

// The clock of the calling thread's CPU time (pthread_getcpuclockid), which other threads may read; what it says, in
// nanoseconds; and the CPU time of the process with its ended children.
int drb_thread_clock(void);
int64_t drb_clock_time(int clock);
int64_t drb_process_time(void);
// eventfd(2), non-blocking and close-on-exec. The descriptor, or -1 with errno.
int drb_event_descriptor(void);
// Lets the process open so many descriptors, if it may. 0, or a negative errno.
int drb_allow_descriptors(unsigned long count);

#endif
