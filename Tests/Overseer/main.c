// Runs a program, ends it by a signal after some time, and tells what it left behind.
//
//   overseer MILLISECONDS SIGNAL PROGRAM ARGUMENT…
//
// It makes leaks plain instead of looking for them by name: whatever loses its parent becomes its own child
// (PR_SET_CHILD_SUBREAPER), and in a mount namespace of its own all places for temporary files, $HOME among them, are new
// and empty. A network namespace outlives its processes only as a mount, which shows in mountinfo. What may be written to
// is the current folder. It, and the folders that OVERSEER_KEEP names (with ':' between them), stay where they are even
// if that is a place for temporary files.
//
// Prints how the program ended (`exited 3`, `signalled 9`), then a line for each thing left: `process PID NAME`,
// `mount …`, `file PATH`. Needs CAP_SYS_ADMIN.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const temporary[] = { "/tmp", "/var/tmp", "/dev/shm", "/run" };
static const size_t temporary_count = sizeof temporary / sizeof *temporary;
static const char home[] = "/tmp/home";

// Time for what was killed to be gone: the kernel ends a tree from parent to child, one death signal after the other.
static const struct timespec grace = { .tv_sec = 5 };

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "overseer: %s: %s\n", what, strerror(errno));
        exit(125);
    }
}

static char *read_all(const char *path)
{
    size_t room = 1 << 20, used = 0;
    char *text = calloc(1, room);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    check(text ? fd : -1, path);
    while (used < room - 1 && (got = read(fd, text + used, room - 1 - used)) > 0)
        used += (size_t)got;
    close(fd);
    return text;
}

// Reaps until no child is left or the time is over. Returns whether none is left.
static int reap_all(struct timespec limit)
{
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0)
            return 1;
        if (sigtimedwait(&child, NULL, &limit) < 0 && errno == EAGAIN)
            return 0;
    }
}

static int parent_of(pid_t pid, char *name)
{
    char path[64], text[512], *end;
    int fd, parent = -1;
    ssize_t got;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return -1;
    got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return -1;
    text[got] = 0;
    if (!(end = strrchr(text, ')')))
        return -1;
    *end = 0;
    snprintf(name, 32, "%s", strchr(text, '(') + 1);
    return sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

// Tells of every process that descends from this one, and kills it.
static void end_descendants(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    char name[32], unused[32];

    while (proc && (entry = readdir(proc))) {
        pid_t pid = (pid_t)atoi(entry->d_name), ancestor;

        if (pid <= 0 || (ancestor = parent_of(pid, name)) <= 0)
            continue;
        while (ancestor > 1 && ancestor != getpid())
            ancestor = parent_of(ancestor, unused);
        if (ancestor != getpid())
            continue;
        printf("process %d %s\n", (int)pid, name);
        kill(pid, SIGKILL);
    }
    if (proc)
        closedir(proc);
}

static char *kept[16];
static int kept_folders[16];
static size_t kept_count;

static void keep(const char *path)
{
    if (!path || kept_count == sizeof kept / sizeof *kept)
        return;
    kept_folders[kept_count] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(kept_folders[kept_count], path);
    kept[kept_count++] = strdup(path);
}

// Whether it is a kept folder or leads to one.
static int is_way_to_kept(const char *path)
{
    size_t i, length = strlen(path);

    for (i = 0; i < kept_count; i++)
        if (!strncmp(kept[i], path, length) && (kept[i][length] == '/' || !kept[i][length]))
            return 1;
    return 0;
}

// Puts a kept folder back if what is mounted now hides it.
static void restore(size_t i)
{
    char source[64], way[PATH_MAX], *slash;
    struct stat now, then;

    check(fstat(kept_folders[i], &then), kept[i]);
    if (stat(kept[i], &now) == 0 && now.st_dev == then.st_dev && now.st_ino == then.st_ino)
        return;
    snprintf(way, sizeof way, "%s", kept[i]);
    for (slash = strchr(way + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(way, 0755);
        *slash = '/';
    }
    mkdir(way, 0755);
    snprintf(source, sizeof source, "/proc/self/fd/%d", kept_folders[i]);
    check(mount(source, kept[i], NULL, MS_BIND | MS_REC, NULL), kept[i]);
}

static int tell_file(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about, (void)type;
    if (where->level > 0 && strcmp(path, home) != 0 && !is_way_to_kept(path))
        printf("file %s\n", path);
    return 0;
}

static void tell_mounts(char *before, char *after)
{
    char *line, *rest = after;

    while ((line = strsep(&rest, "\n")))
        if (*line && !strstr(before, line))
            printf("mount %s\n", line);
}

int main(int argc, char *argv[])
{
    sigset_t child_signal, none;
    struct pollfd ended = { .events = POLLIN };
    char *mounts, *part, *rest;
    const char *list = getenv("OVERSEER_KEEP");
    int status, milliseconds, number;
    size_t i;
    pid_t pid;

    if (argc < 4) {
        fputs("usage: overseer MILLISECONDS SIGNAL PROGRAM ARGUMENT...\n", stderr);
        return 125;
    }
    milliseconds = atoi(argv[1]);
    number = atoi(argv[2]);
    check(prctl(PR_SET_CHILD_SUBREAPER, 1), "become a subreaper");
    check(unshare(CLONE_NEWNS), "have mounts of its own");
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "leave the host's mounts alone");
    // As on a usual host: a mount that the program's own namespaces let out becomes visible here.
    check(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "see what comes out of other namespaces");
    for (part = strtok_r(strdup(list ? list : ""), ":", &rest); part; part = strtok_r(NULL, ":", &rest))
        keep(part);
    keep(getcwd(NULL, 0));
    for (i = 0; i < temporary_count; i++)
        check(mount("tmpfs", temporary[i], "tmpfs", 0, "mode=1777"), temporary[i]);
    for (i = 0; i < kept_count; i++)
        restore(i);
    check(chdir(kept[kept_count - 1]), kept[kept_count - 1]);
    check(mkdir(home, 0777), home);
    chmod(home, 0777);
    setenv("HOME", home, 1);
    mounts = read_all("/proc/self/mountinfo");

    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal, NULL);
    sigemptyset(&none);
    check(pid = fork(), "fork");
    if (pid == 0) {
        // As a shell would start it, whatever the test's threads have blocked.
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(argv[3], argv + 3);
        fprintf(stderr, "overseer: %s: %s\n", argv[3], strerror(errno));
        _exit(126);
    }
    check(ended.fd = (int)syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
    if (poll(&ended, 1, milliseconds) == 0)
        kill(pid, number);
    check(waitpid(pid, &status, 0), "waitpid");
    if (WIFEXITED(status))
        printf("exited %d\n", WEXITSTATUS(status));
    else
        printf("signalled %d\n", WTERMSIG(status));

    if (!reap_all(grace)) {
        end_descendants();
        reap_all(grace);
    }
    tell_mounts(mounts, read_all("/proc/self/mountinfo"));
    for (i = 0; i < temporary_count; i++)
        nftw(temporary[i], tell_file, 16, FTW_PHYS | FTW_MOUNT);
    return 0;
}
