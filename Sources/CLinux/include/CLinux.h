#ifndef DRBENCH_CLINUX_H
#define DRBENCH_CLINUX_H
// Linux interfaces that Swift's Glibc module does not import: they need _GNU_SOURCE, are variadic, or are macros.
// Every shim has the prefix drb_ and says why it exists.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stddef.h>
#include <string.h>

#include "drb_confine.h"
#include "drb_conntrack.h"
#include "drb_load.h"
#include "drb_process.h"
#include "drb_rule_tables.h"
#include "drb_terminal.h"

// glibc declares these only with _GNU_SOURCE.
const char *strerrorname_np(int errnum);
const char *strerrordesc_np(int errnum);

// glibc declares setns(2) and unshare(2) only with _GNU_SOURCE. Both speak of CLONE_NEWNET and of the calling thread alone;
// they return 0, or -1 with errno.
int drb_setns(int fd);
int drb_unshare_net(void);

// sendmsg(2) with a source address of the caller's choice: the control message (IP_PKTINFO or IPV6_PKTINFO, by the family
// of `to`, which must also be `from`'s) is built with CMSG_ macros, which Swift does not import. IPv4-mapped addresses are
// fine on a dual-stack socket (net/ipv4/ip_sockglue.c, ip_cmsg_send). Returns what sendmsg returns.
// `to` and `from` are struct sockaddr: <sys/socket.h> is kept out, for under _GNU_SOURCE its fd_set is not Glibc's.
long drb_send_from(
    int fd, const void *data, size_t length, const void *to, unsigned int to_length, const void *from);

// Namespaces, descriptors and netlink (Links.c). glibc declares what stands behind them only with _GNU_SOURCE.

/// Takes the calling thread to a network namespace, by its descriptor. Returns the descriptor of where it was, for
/// drb_return_to_network, or a negative errno. A thread's own namespace is opened once and closed when the thread ends; a
/// thread that calls setns(2) itself must do so before.
int drb_enter_network(int namespace);
/// Takes the calling thread back. Ends the process if that cannot be.
void drb_return_to_network(int namespace);
/// Makes a network namespace and returns its descriptor, close-on-exec, or a negative errno. The calling thread stays where
/// it is.
int drb_make_network(void);
/// A descriptor of the calling thread's network namespace, close-on-exec, or a negative errno.
int drb_own_network(void);
/// pipe2(O_CLOEXEC): [0] reads, [1] writes. 0, or -1 with errno.
int drb_pipe(int descriptors[2]);
/// pidfd_open(): close-on-exec, readable once the process has ended. glibc has it only since 2.36.
int drb_process_descriptor(int process);
/// socket() with SOCK_CLOEXEC; and the types SOCK_DGRAM and SOCK_RAW, which are enumerators in a header that belongs to no
/// module: Swift finds them or not depending on what else a compilation imports.
int drb_socket(int domain, int type, int protocol);
int drb_sock_dgram(void);
int drb_sock_raw(void);
/// Sends one Ethernet frame out of an interface of the calling thread's namespace through a packet socket of its own, whose
/// struct sockaddr_ll belongs to no module. 0 or a negative errno.
int drb_send_frame(const char *interface, const void *frame, size_t length);
/// memfd_create(MFD_CLOEXEC): a file without a name that is in memory only. The descriptor, or -1 with errno.
int drb_memory_file(const char *name);
/// recvmmsg(MSG_WAITFORONE): waits for one datagram and takes what else is there, up to `count`, each into
/// `size` octets of `buffer`. Sets `lengths`, and -1 there for a datagram that did not fit. The datagrams, or -1.
int drb_receive(int descriptor, void *buffer, unsigned int size, int lengths[], unsigned int count);

#endif
