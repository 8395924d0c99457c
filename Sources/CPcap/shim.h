#ifndef DRBENCH_CPCAP_H
#define DRBENCH_CPCAP_H
#include <pcap/pcap.h>
// sockaddr_ll: whether a capture's socket still belongs to an interface.
#include <netpacket/packet.h>
#endif
