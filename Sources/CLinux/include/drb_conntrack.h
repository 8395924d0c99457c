#ifndef DRBENCH_CONNTRACK_H
#define DRBENCH_CONNTRACK_H
// libnetfilter_conntrack gives out ICMP's id, type and code of the original direction only. Here they are read out of the
// ctnetlink message itself, in C because libnl's attribute functions cannot be imported beside libnetfilter_conntrack:
// both bring their own `enum nfnetlink_groups`, and Swift merges what two C modules define under one name.

#include <stdint.h>

struct drb_icmp {
    uint16_t id;
    uint8_t type;
    uint8_t code;
};

// Reads the tuple of one direction out of a ctnetlink message (struct nlmsghdr); zeros for what it does not have.
struct drb_icmp drb_conntrack_icmp(const void *message, int reply);

#endif
