#include "CLinux.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

int drb_setns(int fd) { return setns(fd, CLONE_NEWNET); }

int drb_unshare_net(void) { return unshare(CLONE_NEWNET); }

long drb_send_from(
    int fd, const void *data, size_t length, const void *to, unsigned int to_length, const void *from)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control;
    struct iovec octets = {.iov_base = (void *)data, .iov_len = length};
    struct msghdr message = {
        .msg_name = (void *)to,
        .msg_namelen = to_length,
        .msg_iov = &octets,
        .msg_iovlen = 1,
        .msg_control = control.space,
    };

    const sa_family_t family = ((const struct sockaddr *)to)->sa_family;

    memset(&control, 0, sizeof control);
    if (family != ((const struct sockaddr *)from)->sa_family) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (family == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_addr = ((const struct sockaddr_in6 *)from)->sin6_addr};
        message.msg_controllen = CMSG_SPACE(sizeof info);
        control.header.cmsg_level = IPPROTO_IPV6;
        control.header.cmsg_type = IPV6_PKTINFO;
        control.header.cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    } else {
        struct in_pktinfo info = {.ipi_spec_dst = ((const struct sockaddr_in *)from)->sin_addr};
        message.msg_controllen = CMSG_SPACE(sizeof info);
        control.header.cmsg_level = IPPROTO_IP;
        control.header.cmsg_type = IP_PKTINFO;
        control.header.cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}
