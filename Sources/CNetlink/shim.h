#ifndef DRBENCH_CNETLINK_H
#define DRBENCH_CNETLINK_H
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/route/link.h>
#include <linux/ip_vs.h>
#include "route.h"
#endif
