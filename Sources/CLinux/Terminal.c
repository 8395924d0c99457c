#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "drb_process.h"
#include "drb_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int watch_signal(int number)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, number);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return -EINVAL;
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int drb_watch_children(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return -errno;
    return watch_signal(SIGCHLD);
}

int drb_watch_window(void) { return watch_signal(SIGWINCH); }

void drb_clear_signals(int fd)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof info) > 0)
        ;
}

int drb_open_terminal(int ends[2])
{
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (ends[0] < 0)
        return -errno;
    if (unlockpt(ends[0]) < 0 || (ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        int code = errno;

        close(ends[0]);
        return -code;
    }
    return 0;
}

int drb_program_pipe(int ends[2], int reads)
{
    int pipe[2];

    if (pipe2(pipe, O_CLOEXEC) < 0)
        return -errno;
    ends[0] = pipe[!reads];
    ends[1] = pipe[!!reads];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

int drb_set_window(int fd, int rows, int columns)
{
    struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

    return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int drb_window(int fd, int *rows, int *columns)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

void *drb_enter_raw_mode(int fd)
{
    struct termios raw, *before = malloc(sizeof *before);

    if (!before || tcgetattr(fd, before) < 0) {
        free(before);
        return NULL;
    }
    raw = *before;
    cfmakeraw(&raw);
    // After what is being written, but keeping what was typed ahead.
    tcsetattr(fd, TCSADRAIN, &raw);
    return before;
}

void drb_restore_terminal(int fd, void *before)
{
    tcsetattr(fd, TCSADRAIN, before);
    free(before);
}

// What a child does between vfork and execve; errno says why it came back.
static void become(int network, const char *path, char *const argv[], char *const envp[], const int fds[3],
                   int terminal)
{
    sigset_t none;
    int i;

    if (setsid() < 0 || setns(network, CLONE_NEWNET) < 0)
        return;
    if (terminal && ioctl(fds[0], TIOCSCTTY, 0) < 0)
        return;
    drb_show_own_sys();
    for (i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            return;
    if (syscall(SYS_close_range, 3, ~0U, 0) < 0)
        return;
    for (i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir("/") == 0)
        execve(path, argv, envp);
}

int drb_spawn_inside(const char *network, const char *path, char *const argv[], char *const envp[], const int fds[3],
                     int terminal)
{
    volatile int failure = 0; // the child writes it: vfork's child has our memory
    sigset_t all, before;
    pid_t pid;
    int fd = open(network, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0) {
        become(fd, path, argv, envp, fds, terminal);
        failure = errno;
        _exit(127);
    }
    if (pid < 0)
        failure = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(fd);
    if (pid > 0 && failure)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return failure ? -failure : pid;
}

int drb_bind_descriptor(int fd, const char *target)
{
    char source[32];
    int file = open(target, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);

    if (file < 0)
        return -errno;
    close(file);
    snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
    return mount(source, target, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

// An address in a folder that is open: by its descriptor, for a longer path does not fit.
static int address(const char *folder, const char *name, struct sockaddr_un *address)
{
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), length;

    if (fd < 0)
        return -errno;
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", fd, name);
    if (length >= (int)sizeof address->sun_path) {
        close(fd);
        return -ENAMETOOLONG;
    }
    return fd;
}

int drb_door_listen(const char *folder, const char *name)
{
    struct sockaddr_un at;
    int directory = address(folder, name, &at), fd, code;

    if (directory < 0)
        return directory;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(at.sun_path);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0) {
        close(directory);
        return fd;
    }
    code = errno;
    if (fd >= 0)
        close(fd);
    close(directory);
    return -code;
}

int drb_door_connect(const char *folder, const char *name)
{
    struct sockaddr_un at;
    int directory = address(folder, name, &at), fd, code;

    if (directory < 0)
        return directory;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        close(directory);
        return fd;
    }
    code = errno;
    if (fd >= 0)
        close(fd);
    close(directory);
    return -code;
}

int drb_door_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int drb_connection(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

long drb_door_send(int fd, const void *octets, unsigned long count)
{
    ssize_t sent = send(fd, octets, count, MSG_NOSIGNAL);

    return sent < 0 ? -errno : sent;
}
