#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "drb_confine.h"
#include "drb_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int drb_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
    return mount(source, target, type, flags, data) < 0 ? -errno : 0;
}

unsigned long drb_ms_private_recursive(void) { return MS_PRIVATE | MS_REC; }
unsigned long drb_ms_nosuid_nodev(void) { return MS_NOSUID | MS_NODEV; }
unsigned long drb_ms_nosuid_nodev_noexec(void) { return MS_NOSUID | MS_NODEV | MS_NOEXEC; }

unsigned long drb_st_noexec(void) { return ST_NOEXEC; }

int drb_power_off(void)
{
    reboot(RB_POWER_OFF);
    return -errno;
}

int drb_end_cpuinfo(void)
{
    const char *path = "/proc/cpuinfo", *whole = "/run/cpuinfo";
    char text[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;
    ssize_t length;

    if (fd < 0)
        return -errno;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length < 2 || text[length - 2] == '\n')
        return 0;
    text[length++] = '\n';
    fd = open(whole, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
    if (fd < 0)
        return -errno;
    if (write(fd, text, (size_t)length) != length || mount(whole, path, NULL, MS_BIND, NULL) < 0)
        code = -errno;
    close(fd);
    return code;
}

int drb_channel(int ends[2], int capacity)
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fcntl(ends[1], F_SETPIPE_SZ, capacity);
    return 0;
}

int drb_raw_terminal(int fd)
{
    struct termios settings;

    if (tcgetattr(fd, &settings) < 0)
        return -errno;
    cfmakeraw(&settings);
    return tcsetattr(fd, TCSANOW, &settings) < 0 ? -errno : 0;
}

static const char *deadline_line;
static int deadline_fd;

static void deadline_passed(int signal)
{
    ssize_t written = write(deadline_fd, deadline_line, strlen(deadline_line));

    (void)signal, (void)written;
    reboot(RB_POWER_OFF);
}

int drb_power_off_after(long seconds, int fd, const char *line)
{
    struct sigaction action = { .sa_handler = deadline_passed };
    struct itimerval timer = { .it_value = { .tv_sec = seconds } };

    deadline_line = strdup(line);
    deadline_fd = fd;
    if (!deadline_line || sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &timer, NULL) < 0)
        return -errno;
    return 0;
}

static int interruption_pipe[2] = { -1, -1 };
static volatile sig_atomic_t interruption;

static void interrupted(int signal)
{
    int before = errno;
    ssize_t written;

    interruption = signal;
    written = write(interruption_pipe[1], "", 1);
    (void)written;
    errno = before;
}

static void catch_interruptions(void)
{
    // Only the first: whoever presses Ctrl-C twice wants the end now.
    struct sigaction action = { .sa_handler = interrupted, .sa_flags = SA_RESTART | (int)SA_RESETHAND }, before;
    const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    sigset_t watched;
    size_t i;

    // Whoever started us may have had them blocked; that is inherited.
    sigemptyset(&watched);
    for (i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&watched, signals[i]);
    pthread_sigmask(SIG_UNBLOCK, &watched, NULL);
    for (i = 0; i < sizeof signals / sizeof *signals; i++)
        // nohup(1) and a shell's background jobs have some of them ignored, and that must stay so.
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
}

int drb_watch_interruption(void)
{
    if (interruption_pipe[0] >= 0)
        return 0;
    if (pipe2(interruption_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    catch_interruptions();
    return 0;
}

void drb_forget_interruption(void)
{
    char octet;

    if (interruption_pipe[0] < 0)
        return;
    interruption = 0;
    while (read(interruption_pipe[0], &octet, 1) > 0)
        ;
    catch_interruptions();
}

int drb_interruption_descriptor(void) { return interruption_pipe[0]; }
int drb_interruption_signal(void) { return interruption; }

int drb_end_by_signal(int number)
{
    signal(number, SIG_DFL);
    return raise(number);
}

int drb_await_end(int pid, int *status)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
        if (errno != EINTR)
            return -errno;
    kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int drb_clone_newns(void) { return CLONE_NEWNS; }
int drb_clone_newpid(void) { return CLONE_NEWPID; }
int drb_clone_newuser(void) { return CLONE_NEWUSER; }

// What the child tells its parent through a close-on-exec pipe when it cannot become the program.
struct failure {
    int code;
    const char *stage; // a string constant: parent and child have it at the same address
};

static void give_up(int report, const char *stage)
{
    struct failure failure = { errno, stage };

    if (write(report, &failure, sizeof failure) < 0)
        _exit(126);
    _exit(127);
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written;

    if (fd < 0)
        return -1;
    written = write(fd, text, strlen(text));
    close(fd);
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

static void become_root_inside(int report, uid_t uid, gid_t gid)
{
    char map[64];

    // user_namespaces(7): without privileges outside, setgroups must be denied before gid_map can be written.
    if (write_file("/proc/self/setgroups", "deny") < 0)
        give_up(report, "deny setgroups");
    snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    if (write_file("/proc/self/uid_map", map) < 0)
        give_up(report, "map the user to root");
    snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
    if (write_file("/proc/self/gid_map", map) < 0)
        give_up(report, "map the group to root");
}

// signal(2) itself, for a process that has just been cloned: sigaction(3) of glibc 2.41 takes a lock for SIGABRT, which
// another thread may have held at that moment (posix_spawn does), and then nobody is left to release it.
static void reset_signal(int number)
{
    struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } by_default = { 0 };

    syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof by_default.mask);
}

// That a program can be given.
#define MOST_DESCRIPTORS 16

static void child(const char *path, char *const argv[], char *const envp[], const char *directory, const int *fds,
                  int fd_count, unsigned long clone_flags, int stays, int confinement, int report, pid_t parent,
                  uid_t uid, gid_t gid)
{
    struct pollfd parent_end = { .fd = report };
    sigset_t none;
    int i, high, code, moved[MOST_DESCRIPTORS];

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        give_up(report, "bind its life to its parent's");
    // The parent may have gone before prctl. Inside a new PID namespace it is not visible; but then nobody is left who
    // could read the report.
    if (!(clone_flags & CLONE_NEWPID) && getppid() != parent)
        _exit(127);
    if (poll(&parent_end, 1, 0) > 0 && parent_end.revents & POLLERR)
        _exit(127);
    if (clone_flags & CLONE_NEWUSER)
        become_root_inside(report, uid, gid);
    setpgid(0, 0);
    if (personality(personality(0xffffffff) | ADDR_NO_RANDOMIZE) < 0)
        give_up(report, "switch off address space randomisation");
    for (i = 1; i < NSIG; i++)
        reset_signal(i);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (directory && chdir(directory) < 0)
        give_up(report, "enter its folder");
    if (stays) {
        cpu_set_t here;

        // Where the scheduler has just put it: fork chooses the idlest (SD_BALANCE_FORK). If that fails, it is only slower.
        CPU_ZERO(&here);
        CPU_SET((size_t)sched_getcpu(), &here);
        sched_setaffinity(0, sizeof here, &here);
    }

    // First out of the way of each other, then into place. What is above the places stays in no one's way, whatever the
    // limit of open files.
    high = fcntl(report, F_DUPFD_CLOEXEC, fd_count);
    if (high < 0 || fd_count > MOST_DESCRIPTORS)
        give_up(report, "move descriptors");
    for (i = 0; i < fd_count; i++)
        if ((moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, fd_count)) < 0)
            give_up(high, "move descriptors");
    if (confinement >= 0 && (confinement = fcntl(confinement, F_DUPFD_CLOEXEC, fd_count)) < 0)
        give_up(high, "move descriptors");
    for (i = 0; i < fd_count; i++)
        if (dup2(moved[i], i) < 0)
            give_up(high, "place descriptors");
    if (syscall(SYS_close_range, fd_count, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        give_up(high, "close descriptors");
    if (confinement != DRB_UNCONFINED && (code = drb_confine(confinement)) < 0) {
        errno = -code;
        give_up(high, "be confined");
    }
    execve(path, argv, envp);
    give_up(high, "execute");
}

int drb_spawn_bound(const char *path, char *const argv[], char *const envp[], const char *directory, const int *fds,
                    int fd_count, unsigned long clone_flags, int stays, int confinement, const char **stage)
{
    struct failure failure = { 0, NULL };
    sigset_t all, before;
    pid_t parent = getpid(), pid;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int report[2];
    ssize_t got;

    *stage = "make a pipe";
    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    // No handler of ours may run in the child.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = (pid_t)syscall(SYS_clone, clone_flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        close(report[0]);
        child(path, argv, envp, directory, fds, fd_count, clone_flags, stays, confinement, report[1], parent, uid,
              gid);
    }
    int clone_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        *stage = "start a process";
        return -clone_errno;
    }
    do {
        got = read(report[0], &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == sizeof failure) {
        waitpid(pid, NULL, 0);
        *stage = failure.stage;
        return -failure.code;
    }
    return pid;
}

static int in_place(const int fds[3])
{
    int i;

    for (i = 0; i < 3; i++) {
        int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR);

        if (fd < 0 || dup2(fd, i) < 0)
            return -1;
    }
    return (int)syscall(SYS_close_range, 3, ~0U, 0);
}

void drb_show_own_sys(void)
{
    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0)
        mount("sysfs", "/sys", "sysfs", 0, NULL);
}

int drb_spawn(const char *path, char *const argv[], char *const envp[], const int fds[3], int own_sys)
{
    // execve resets signals that have handlers; ignored ones stay ignored.
    static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD };
    sigset_t all, before, none;
    volatile int failure = 0; // the child writes it: vfork's child has our memory
    pid_t pid;
    size_t i;

    sigemptyset(&none);
    sigfillset(&all);
    // No handler of ours may run in the child.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0) {
        setpgid(0, 0);
        for (i = 0; i < sizeof ignored / sizeof *ignored; i++)
            reset_signal(ignored[i]);
        if (own_sys)
            drb_show_own_sys();
        if (in_place(fds) == 0) {
            sigprocmask(SIG_SETMASK, &none, NULL);
            execve(path, argv, envp);
        }
        failure = errno;
        _exit(127);
    }
    if (pid < 0)
        failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && failure) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return failure ? -failure : pid;
}
