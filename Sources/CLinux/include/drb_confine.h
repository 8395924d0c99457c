#ifndef DRBENCH_CONFINE_H
#define DRBENCH_CONFINE_H
// What a process may change of this host is decided before it starts, from outside: Landlock (landlock(7)) for files,
// seccomp(2) for what Landlock does not know, user namespaces where the process must mount file systems of its own.

#include <stdbool.h>

// The version of Landlock's interface that this host's kernel offers; 0 if it has none, or it is switched off.
int drb_landlock_version(void);

// Makes a Landlock rule set for a process that may read and execute all that its user may, and write nothing until
// drb_allow_writing says where. Returns its descriptor or a negative errno: ENOSYS without Landlock.
int drb_landlock_rules(void);

// Lets the process write to a file, or to a folder: there it may make files and write to them, but make no folders, links,
// devices, FIFOs and sockets, and remove nothing; in a scratch folder it may make folders, and remove files and folders, too. `place` is a descriptor (O_PATH will
// do). Returns 0 or a negative errno.
enum drb_place { DRB_FILE, DRB_FOLDER, DRB_SCRATCH_FOLDER };
int drb_allow_writing(int rules, int place, enum drb_place kind);

// Confines the calling thread, and what it starts, for ever: no new privileges (set-user-ID programs), the rule set (none if
// it is negative), and a system call filter that refuses, with EPERM, what changes a file's owner, mode, times or
// attributes, truncates by name, mounts, and opens sockets, none of which Landlock looks at. Async-signal-safe. Returns 0
// or a negative errno.
int drb_confine(int rules);

// Whether this host's kernel takes the system call filter.
bool drb_has_filter(void);

// A file in memory that may be executed from: memfd_create(2). Close-on-exec. Returns a descriptor or a negative errno.
int drb_executable_memory(const char *name, long long size);

// Makes every mount that the calling process sees read-only, but for `except` itself, recursively: mount_setattr(2). The
// mounts must be private to the process's mount namespace. Returns 0 or a negative errno.
int drb_make_read_only(const char *except);

// A mount of its own, of which nobody else knows, of a file or folder: open_tree(2) with OPEN_TREE_CLONE. Whoever has its
// descriptor gets no further up. A link is not followed. Close-on-exec. Returns a descriptor or a negative errno.
int drb_detached_mount(int folder, const char *name);

// Moves the calling process, which must have one thread only, into a user namespace, mount namespace and network namespace
// of its own. What was read-only stays so: its mounts are locked there (mount_namespaces(7)). Whoever may, becomes `count`
// users from `first` on there, who own nothing on this host; others stay themselves, as root inside. The process goes on
// being killed with its parent (PR_SET_PDEATHSIG). Returns 0 or a negative errno.
int drb_leave_host(unsigned first, unsigned count);

#endif
