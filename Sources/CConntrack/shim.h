#ifndef DRBENCH_CCONNTRACK_H
#define DRBENCH_CCONNTRACK_H
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#endif
