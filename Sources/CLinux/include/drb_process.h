#ifndef DRBENCH_PROCESS_H
#define DRBENCH_PROCESS_H
// What it takes to be, and to start, a laboratory's process: mounts, power, pipes, a child bound to its parent's life.

// mount(2) with its flags, which Glibc's module leaves out. Returns 0 or a negative errno.
int drb_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
unsigned long drb_ms_private_recursive(void);
unsigned long drb_ms_nosuid_nodev(void);
unsigned long drb_ms_nosuid_nodev_noexec(void);

// ST_NOEXEC of statvfs(3), which Glibc's module leaves out.
unsigned long drb_st_noexec(void);

// reboot(2) with RB_POWER_OFF: ends the guest. Returns a negative errno if it returns.
int drb_power_off(void);

// Ends /proc/cpuinfo with an empty line if it has none, by a file on /run that is mounted over it: User-Mode Linux is the only
// architecture that leaves it out (show_cpuinfo in arch/um), and ps and top of procps 4 then find no boot time. Returns 0 or
// a negative errno.
int drb_end_cpuinfo(void);

// Once so much time has passed by this kernel's clock, writes the line to the descriptor and switches the guest off, from
// within a SIGALRM handler: whatever the process hangs in. A new call replaces the last one. Returns 0 or a negative errno.
int drb_power_off_after(long seconds, int fd, const char *line);

// From here on the first SIGINT, SIGTERM or SIGHUP does not end the process but makes drb_interruption_descriptor() readable
// for ever and drb_interruption_signal() that signal; the second of a kind ends it. Both are -1 and 0 before. Returns 0 or
// a negative errno.
int drb_watch_interruption(void);
int drb_interruption_descriptor(void);
int drb_interruption_signal(void);

// As if no such signal had come, and from here on as after drb_watch_interruption().
void drb_forget_interruption(void);

// Ends this process by a signal, so that a shell sees that it was interrupted. Returns only if that failed.
int drb_end_by_signal(int number);

// Waits for a child that leads a process group, kills what is left of the group before the group's id can be anybody
// else's, and reaps the child: waitid(2) with WNOWAIT first. Returns 0 or a negative errno.
int drb_await_end(int pid, int *status);

// A close-on-exec pipe that holds up to `capacity` octets unread: pipe2(2) and F_SETPIPE_SZ need _GNU_SOURCE. A smaller
// capacity than asked for (an unprivileged user's limit) is no error. Returns 0 or a negative errno.
int drb_channel(int ends[2], int capacity);

// Puts a terminal into raw mode (cfmakeraw is a BSD extension). Returns 0 or a negative errno.
int drb_raw_terminal(int fd);

// Namespace flags, macros of <linux/sched.h>.
int drb_clone_newns(void);
int drb_clone_newpid(void);
int drb_clone_newuser(void);

// Starts a program that must not outlive this thread: it gets SIGKILL when the thread ends (PR_SET_PDEATHSIG), its own
// process group, default signal handling, no address space randomisation (ADDR_NO_RANDOMIZE), the descriptors
// fds[0..<fd_count] as 0..<fd_count and no others. clone_flags may hold CLONE_NEW*; with CLONE_NEWUSER the caller is
// mapped to root inside. With `stays` it and its children keep to the processor that the scheduler first puts it on, which
// pays where they take turns. `confinement` is a rule set of drb_landlock_rules, or DRB_NO_RULES for drb_confine without one,
// or DRB_UNCONFINED. posix_spawn can do none of this. Returns the pid or a negative errno; *stage then names the step that
// failed.
#define DRB_NO_RULES (-1)
#define DRB_UNCONFINED (-2)
int drb_spawn_bound(const char *path, char *const argv[], char *const envp[], const char *directory, const int *fds,
                    int fd_count, unsigned long clone_flags, int stays, int confinement, const char **stage);

// Starts a program from the calling thread, whose namespaces it inherits: fds as its standard descriptors (one that is -1
// is /dev/null) and no others, a process group of its own, no blocked signals, and the default for those that drbench or
// who started it may have ignored. vfork(2): glibc's posix_spawn asks for and sets all 64 signals, one by one, which in a
// lab kernel takes as long as starting the program does. With `own_sys` as drb_show_own_sys. Returns the pid or a negative
// errno.
int drb_spawn(const char *path, char *const argv[], char *const envp[], const int fds[3], int own_sys);

// Has /sys show the calling process's network namespace, as `ip netns exec` does: in a mount namespace of its own, which ends
// with it. Where that cannot be, /sys goes on showing what it did.
void drb_show_own_sys(void);

#endif
