// libpcap as Debian builds it looks for D-Bus and RDMA devices when it is asked to open a port. As an archive it would bring
// libdbus, libsystemd, libgcrypt and libibverbs into the program for that, seven to fifteen libraries that the dynamic linker
// would have to load in every lab kernel. With these in their place the linker takes neither pcap-dbus.o nor
// pcap-rdmasniff.o from the archive; the signatures are those of pcap-dbus.h and pcap-rdmasniff.h.
// Linked against the shared libpcap they are nobody's.
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN int dbus_findalldevs(void *devices, char *error) { (void)devices; (void)error; return 0; }

HIDDEN void *dbus_create(const char *device, char *error, int *is_ours) {
    (void)device; (void)error;
    *is_ours = 0;
    return NULL;
}

HIDDEN int rdmasniff_findalldevs(void *devices, char *error) { (void)devices; (void)error; return 0; }

HIDDEN void *rdmasniff_create(const char *device, char *error, int *is_ours) {
    (void)device; (void)error;
    *is_ours = 0;
    return NULL;
}
