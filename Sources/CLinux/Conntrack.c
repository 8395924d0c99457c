#include "drb_conntrack.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

static const struct nlattr *find(const uint8_t *attributes, size_t length, int type) {
    while (attributes && length >= NLA_HDRLEN) {
        const struct nlattr *attribute = (const struct nlattr *)attributes;
        if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > length) return NULL;
        if ((attribute->nla_type & NLA_TYPE_MASK) == type) return attribute;
        size_t step = NLA_ALIGN(attribute->nla_len);
        if (step > length) return NULL;
        attributes += step;
        length -= step;
    }
    return NULL;
}

static const struct nlattr *find_nested(const struct nlattr *nest, int type) {
    return nest ? find((const uint8_t *)nest + NLA_HDRLEN, nest->nla_len - NLA_HDRLEN, type) : NULL;
}

static void read_octets(const struct nlattr *attribute, void *to, size_t size) {
    if (attribute && attribute->nla_len >= NLA_HDRLEN + size) memcpy(to, (const uint8_t *)attribute + NLA_HDRLEN, size);
}

struct drb_icmp drb_conntrack_icmp(const void *message, int reply) {
    struct drb_icmp icmp = {0};
    const struct nlmsghdr *header = message;
    const size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
    if (header->nlmsg_len < head) return icmp;
    const struct nlattr *tuple =
        find((const uint8_t *)message + head, header->nlmsg_len - head, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
    const struct nlattr *proto = find_nested(tuple, CTA_TUPLE_PROTO);
    // An entry is ICMP or ICMPv6, so only one of each pair is there.
    read_octets(find_nested(proto, CTA_PROTO_ICMP_ID), &icmp.id, 2);
    read_octets(find_nested(proto, CTA_PROTO_ICMPV6_ID), &icmp.id, 2);
    read_octets(find_nested(proto, CTA_PROTO_ICMP_TYPE), &icmp.type, 1);
    read_octets(find_nested(proto, CTA_PROTO_ICMPV6_TYPE), &icmp.type, 1);
    read_octets(find_nested(proto, CTA_PROTO_ICMP_CODE), &icmp.code, 1);
    read_octets(find_nested(proto, CTA_PROTO_ICMPV6_CODE), &icmp.code, 1);
    icmp.id = ntohs(icmp.id);
    return icmp;
}
