#ifndef DRBENCH_CNETLINK_H
#define DRBENCH_CNETLINK_H
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/route/link.h>
#include <linux/ip_vs.h>
#include "route.h"
// In one module with libnl: both bring `enum nfnetlink_groups` under one include guard, and Swift rejects two modules that
// define one name differently.
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_log.h>
#endif
