#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

// Where the calling thread is at home, opened when it first goes elsewhere, and where it is now.
static _Thread_local int home = -1;
static _Thread_local int whereabouts = -1;
static pthread_key_t home_key;
static pthread_once_t home_once = PTHREAD_ONCE_INIT;

static void close_home(void *number) {
    close((int)(intptr_t)number - 1);
}

static void make_home_key(void) {
    pthread_key_create(&home_key, close_home);
}

int drb_own_network(void) {
    int descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

static int present_network(void) {
    if (whereabouts >= 0)
        return whereabouts;
    if ((home = drb_own_network()) < 0)
        return home;
    pthread_once(&home_once, make_home_key);
    pthread_setspecific(home_key, (void *)(intptr_t)(home + 1));
    return whereabouts = home;
}

int drb_enter_network(int namespace) {
    int before = present_network();

    if (before < 0)
        return before;
    if (namespace != before && setns(namespace, CLONE_NEWNET) < 0)
        return -errno;
    whereabouts = namespace;
    return before;
}

void drb_return_to_network(int namespace) {
    if (namespace == whereabouts)
        return;
    // A thread that is lost in a namespace would do there what is meant for another.
    if (setns(namespace, CLONE_NEWNET) < 0)
        abort();
    whereabouts = namespace;
}

int drb_make_network(void) {
    int before = present_network(), made;

    if (before < 0)
        return before;
    if (unshare(CLONE_NEWNET) < 0)
        return -errno;
    made = drb_own_network();
    if (setns(before, CLONE_NEWNET) < 0)
        abort();
    return made;
}

int drb_pipe(int descriptors[2]) {
    return pipe2(descriptors, O_CLOEXEC);
}

int drb_process_descriptor(int process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int drb_socket(int domain, int type, int protocol) {
    return socket(domain, type | SOCK_CLOEXEC, protocol);
}

int drb_sock_dgram(void) { return SOCK_DGRAM; }

int drb_sock_raw(void) { return SOCK_RAW; }

int drb_memory_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}

enum { maximum = 16 };

int drb_receive(int descriptor, void *buffer, unsigned int size, int lengths[], unsigned int count) {
    struct mmsghdr headers[maximum];
    struct iovec slots[maximum];
    if (count > maximum)
        count = maximum;
    memset(headers, 0, sizeof headers);
    for (unsigned int i = 0; i < count; i++) {
        slots[i].iov_base = (char *)buffer + (size_t)i * size;
        slots[i].iov_len = size;
        headers[i].msg_hdr.msg_iov = &slots[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    int received = recvmmsg(descriptor, headers, count, MSG_WAITFORONE, NULL);
    for (int i = 0; i < received; i++)
        lengths[i] = headers[i].msg_hdr.msg_flags & MSG_TRUNC ? -1 : (int)headers[i].msg_len;
    return received;
}

int drb_send_frame(const char *interface, const void *frame, size_t length) {
    struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
    int descriptor, code = 0;

    if (!address.sll_ifindex) return -errno;
    // Protocol 0: it receives nothing.
    descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (sendto(descriptor, frame, length, 0, (struct sockaddr *)&address, sizeof address) < 0) code = -errno;
    close(descriptor);
    return code;
}
