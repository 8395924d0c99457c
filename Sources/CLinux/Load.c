#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <errno.h>
#include <pthread.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct drb_ready) == sizeof(struct epoll_event), "one is taken for the other");
_Static_assert(offsetof(struct drb_ready, token) == offsetof(struct epoll_event, data), "one is taken for the other");

int drb_poller(void) { return epoll_create1(EPOLL_CLOEXEC); }

int drb_watch(int poller, int descriptor, uint64_t token, int edges)
{
    struct epoll_event event = {.events = edges ? EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET : EPOLLIN, .data.u64 = token};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int drb_await(int poller, struct drb_ready *ready, int count, int64_t nanoseconds)
{
    struct epoll_event *events = (struct epoll_event *)ready;
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int result = (int)syscall(
        SYS_epoll_pwait2, poller, events, count, nanoseconds < 0 ? NULL : &time, NULL, (size_t)8);
    if (result < 0 && errno == ENOSYS) // before Linux 5.11
        result = epoll_wait(
            poller, events, count, nanoseconds < 0 ? -1 : (int)((nanoseconds + 999999) / 1000000));
    for (int i = 0; i < result; i++) {
        uint32_t seen = events[i].events;
        ready[i].events = (seen & (EPOLLIN | EPOLLRDHUP) ? drb_readable : 0) | (seen & EPOLLOUT ? drb_writable : 0)
            | (seen & (EPOLLERR | EPOLLHUP) ? drb_broken : 0) | (seen & EPOLLRDHUP ? drb_hung_up : 0);
    }
    return result;
}

int drb_load_socket(int family, int is_stream)
{
    return socket(
        family == 6 ? AF_INET6 : AF_INET,
        (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int drb_load_connect(int descriptor, int family, const uint8_t *address, uint16_t port)
{
    int result;
    if (family == 6) {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&to.sin6_addr, address, 16);
        result = connect(descriptor, (struct sockaddr *)&to, sizeof to);
    } else {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&to.sin_addr, address, 4);
        result = connect(descriptor, (struct sockaddr *)&to, sizeof to);
    }
    return result == 0 ? 0 : -errno;
}

int drb_socket_error(int descriptor)
{
    int code = 0;
    socklen_t length = sizeof code;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno;
}

// Bound to a port of all addresses, dual-stack where there is IPv6.
static int bound(int type, uint16_t port)
{
    int on = 1, off = 0, code;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int descriptor = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (bind(descriptor, (struct sockaddr *)&six, sizeof six) == 0)
            return descriptor;
        code = errno;
        close(descriptor);
        if (code != EADDRNOTAVAIL && code != EAFNOSUPPORT)
            return -code;
    }
    descriptor = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -errno;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor, (struct sockaddr *)&four, sizeof four) == 0)
        return descriptor;
    code = errno;
    close(descriptor);
    return -code;
}

int drb_listen(uint16_t port)
{
    int on = 1;
    int descriptor = bound(SOCK_STREAM, port);
    if (descriptor < 0)
        return descriptor;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (listen(descriptor, 65535) == 0)
        return descriptor;
    int code = errno;
    close(descriptor);
    return -code;
}

int drb_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

long drb_send(int descriptor, const void *octets, size_t count, int more)
{
    return send(descriptor, octets, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

long drb_receive_some(int descriptor, void *octets, size_t count) { return recv(descriptor, octets, count, 0); }

long drb_discard(int descriptor, size_t count) { return recv(descriptor, NULL, count, MSG_TRUNC); }

long drb_unacknowledged(int descriptor)
{
    int octets = 0;
    return ioctl(descriptor, SIOCOUTQ, &octets) == 0 ? octets : 0;
}

int drb_datagram_server(uint16_t port)
{
    int on = 1, size = 4 << 20;
    int descriptor = bound(SOCK_DGRAM, port);
    if (descriptor < 0)
        return descriptor;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    return descriptor;
}

enum { batch = 32, longest = 65507 };

int drb_answer_datagrams(int descriptor, int count)
{
    static __thread char octets[batch][2048];
    static __thread char answer[longest];
    struct mmsghdr headers[batch];
    struct iovec slots[batch];
    struct sockaddr_in6 peers[batch];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
    } controls[batch];
    if (count > batch)
        count = batch;
    memset(headers, 0, sizeof headers);
    for (int i = 0; i < count; i++) {
        slots[i] = (struct iovec){.iov_base = octets[i], .iov_len = sizeof octets[i]};
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &slots[i], .msg_iovlen = 1,
            .msg_control = controls[i].space, .msg_controllen = sizeof controls[i].space};
    }
    int received = recvmmsg(descriptor, headers, count, 0, NULL);
    for (int i = 0; i < received; i++) {
        struct msghdr *message = &headers[i].msg_hdr;
        if (headers[i].msg_len < 16)
            continue;
        // What came with the datagram goes back with the answer: its destination becomes the source.
        for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each; each = CMSG_NXTHDR(message, each)) {
            if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO)
                ((struct in6_pktinfo *)CMSG_DATA(each))->ipi6_ifindex = 0;
            if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
                struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(each);
                info->ipi_spec_dst = info->ipi_addr;
                info->ipi_ifindex = 0;
            }
        }
        uint32_t length;
        memcpy(&length, octets[i] + 4, sizeof length);
        length = ntohl(length);
        if (length < 16)
            length = 16;
        if (length > longest)
            length = longest;
        memcpy(answer, octets[i], 16);
        slots[i] = (struct iovec){.iov_base = answer, .iov_len = length};
        message->msg_flags = 0;
        sendmsg(descriptor, message, MSG_NOSIGNAL);
    }
    return received;
}

static int64_t nanoseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000000 + (int64_t)time.tv_usec * 1000; }

int drb_thread_clock(void)
{
    clockid_t clock;
    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? clock : CLOCK_THREAD_CPUTIME_ID;
}

int64_t drb_clock_time(int clock)
{
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int drb_event_descriptor(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int drb_allow_descriptors(unsigned long count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -errno;
    if (limit.rlim_cur >= count)
        return 0;
    limit.rlim_cur = count;
    if (limit.rlim_max < count)
        limit.rlim_max = count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

int64_t drb_process_time(void)
{
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return nanoseconds(own.ru_utime) + nanoseconds(own.ru_stime) + nanoseconds(children.ru_utime)
        + nanoseconds(children.ru_stime);
}
