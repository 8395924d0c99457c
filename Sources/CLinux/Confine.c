#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "drb_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// <linux/landlock.h> of Debian 12 ends with Linux 6.1; these came later, and a kernel says by its version whether it knows them.
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

struct ruleset {
    uint64_t fs, net, scoped;
};

int drb_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? 0 : (int)version;
}

static uint64_t writing(int version)
{
    return LANDLOCK_ACCESS_FS_WRITE_FILE | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}
static const uint64_t making = LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR;
static const uint64_t removing = LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;

int drb_landlock_rules(void)
{
    struct ruleset handled = {
        .fs = making | removing | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
              LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
    };
    size_t size = sizeof handled.fs;
    int version = drb_landlock_version(), rules;

    if (version == 0)
        return -ENOSYS;
    handled.fs |= writing(version);
    if (version >= 2)
        handled.fs |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 4) {
        handled.net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
        size = offsetof(struct ruleset, scoped);
    }
    if (version >= 5)
        handled.fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    if (version >= 6) {
        handled.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
        size = sizeof handled;
    }
    rules = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    return rules < 0 ? -errno : rules;
}

int drb_allow_writing(int rules, int place, enum drb_place kind)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = writing(drb_landlock_version()) | (kind == DRB_FOLDER ? LANDLOCK_ACCESS_FS_MAKE_REG : 0) |
                          (kind == DRB_SCRATCH_FOLDER ? making | removing : 0),
        .parent_fd = place,
    };

    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

// System calls that the lab kernel never makes and that change what Landlock does not look after. Numbers come from
// <asm/unistd.h>; those that this header is too old for are left to the kernel that would need them.
static const int refused[] = {
    SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_truncate, SYS_setxattr, SYS_lsetxattr,
    SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_mount, SYS_umount2, SYS_pivot_root,
    SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr,
    SYS_socket, SYS_unshare, SYS_setns, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_sethostname, SYS_setdomainname,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_kexec_load, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup,
    SYS_add_key, SYS_request_key, SYS_keyctl, SYS_open_by_handle_at, SYS_quotactl, SYS_acct, SYS_syslog,
    SYS_process_vm_writev,
#ifdef SYS_chmod
    SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
#ifdef SYS_fchmodat2
    SYS_fchmodat2,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm,
#endif
};
#define REFUSED_COUNT (sizeof refused / sizeof *refused)

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

#define STEP(code, value) ((struct sock_filter)BPF_STMT(code, value))
#define TEST(code, value, yes, no) ((struct sock_filter)BPF_JUMP(code, value, yes, no))

static int filter_calls(void)
{
#ifdef OWN_ARCH
    struct sock_filter program[REFUSED_COUNT + 8];
    struct sock_fprog filter = { .filter = program };
    unsigned short n = 0;
    size_t i;

    program[n++] = STEP(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[n++] = TEST(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0);
    program[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    program[n++] = STEP(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    // x32's numbers, which are others for the same calls.
    program[n++] = TEST(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, REFUSED_COUNT + 1, 0);
    for (i = 0; i < REFUSED_COUNT; i++)
        program[n++] = TEST(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refused[i], (unsigned char)(REFUSED_COUNT - i), 0);
    program[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    filter.len = n;
    // Who filters this little need not be slowed down as somebody who runs code that he does not trust in his own process.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) < 0 ? -errno : 0;
#else
    return -ENOSYS;
#endif
}

bool drb_has_filter(void)
{
#ifdef OWN_ARCH
    unsigned action = SECCOMP_RET_ERRNO;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#else
    return false;
#endif
}

int drb_confine(int rules)
{
    int status;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (rules >= 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        return -errno;
    status = filter_calls();
    // A host without it has no filter; what is in force is told beforehand.
    return status == -ENOSYS || status == -EINVAL ? 0 : status;
}

int drb_executable_memory(const char *name, long long size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC), code;

    if (fd < 0 && errno == EINVAL) // before Linux 6.3
        fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, size) == 0)
        return fd;
    code = -errno;
    close(fd);
    return code;
}

int drb_make_read_only(const char *except)
{
    struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY }, writable = { .attr_clr = MOUNT_ATTR_RDONLY };

    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) < 0)
        return -errno;
    if (except && syscall(SYS_mount_setattr, AT_FDCWD, except, 0, &writable, sizeof writable) < 0 && errno != ENOENT)
        return -errno;
    return 0;
}

int drb_detached_mount(int folder, const char *name)
{
    int fd = (int)syscall(SYS_open_tree, folder, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

static bool write_text(pid_t pid, const char *file, const char *text)
{
    char path[64];
    size_t length = strlen(text);
    bool written;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    written = write(fd, text, length) == (ssize_t)length;
    close(fd);
    return written;
}

// Gives the users of `pid`, which is in a new user namespace, their ids outside. Errors: errno.
static bool map_users(pid_t pid, unsigned first, unsigned count)
{
    const unsigned nobody = 65534;
    char text[64];

    // Users of their own for all that a program may want to be.
    snprintf(text, sizeof text, "0 %u %u", first, count);
    if (write_text(pid, "uid_map", text) && write_text(pid, "gid_map", text))
        return true;
    // In a container there may be fewer ids; who may give any away gives nobody's.
    snprintf(text, sizeof text, "0 %u 1", nobody);
    if (write_text(pid, "uid_map", text) && write_text(pid, "gid_map", text))
        return true;
    // Who may not, has only himself.
    snprintf(text, sizeof text, "0 %u 1", (unsigned)geteuid());
    if (!write_text(pid, "uid_map", text))
        return false;
    write_text(pid, "setgroups", "deny");
    snprintf(text, sizeof text, "0 %u 1", (unsigned)getegid());
    return write_text(pid, "gid_map", text);
}

int drb_leave_host(unsigned first, unsigned count)
{
    int ready[2], status, code;
    pid_t self = getpid(), helper;
    char octet;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return -errno;
    // Only somebody who stays behind has the right to say who we are there.
    helper = fork();
    if (helper < 0) {
        code = -errno;
        close(ready[0]);
        close(ready[1]);
        return code;
    }
    if (helper == 0) {
        close(ready[1]);
        _exit(read(ready[0], &octet, 1) == 1 && map_users(self, first, count) ? 0 : 1);
    }
    close(ready[0]);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0) {
        code = -errno;
        close(ready[1]);
        waitpid(helper, NULL, 0);
        return code;
    }
    code = write(ready[1], "", 1) == 1 ? 0 : -errno;
    close(ready[1]);
    while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
        ;
    if (code == 0 && status != 0)
        code = -EPERM;
    if (code < 0)
        return code;
    setgroups(0, NULL); // where setgroups is denied there are none to lose
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return -errno;
    // Both are reset when ids change.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
        return -errno;
    return 0;
}
