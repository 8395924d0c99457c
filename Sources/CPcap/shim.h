#ifndef DRBENCH_CPCAP_H
#define DRBENCH_CPCAP_H
#include <pcap/pcap.h>
#endif
