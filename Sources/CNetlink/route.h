#ifndef DRBENCH_CNETLINK_ROUTE_H
#define DRBENCH_CNETLINK_ROUTE_H
// rtnetlink: the structures and constants of links, addresses, routes, neighbours and qdiscs.
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <linux/rtnetlink.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/veth.h>
#endif
