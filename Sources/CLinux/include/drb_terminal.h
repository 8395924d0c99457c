#ifndef DRBENCH_TERMINAL_H
#define DRBENCH_TERMINAL_H
// What it takes to let people into a laboratory: terminals, programs in a namespace, sockets with a path.

// This process becomes the parent of all that descends from it and loses its parent (PR_SET_CHILD_SUBREAPER), and its
// threads get no SIGCHLD any more; instead the descriptor returned is readable when a child has ended (signalfd(2),
// non-blocking, close-on-exec). It does not die of SIGPIPE, either. To be called while there is one thread. Returns a
// negative errno.
int drb_watch_children(void);

// The same for SIGWINCH: readable when the terminal's window has got another size.
int drb_watch_window(void);

// Empties a descriptor of the two above.
void drb_clear_signals(int fd);

// Opens a new terminal: ends[0] is the master, non-blocking, ends[1] what a program gets; both close-on-exec.
// TIOCGPTPEER rather than a path: it need not be visible in this mount namespace. Returns 0 or a negative errno.
int drb_open_terminal(int ends[2]);

// A pipe to a program or, if we read from it, from one: ends[0] is ours, non-blocking, ends[1] the program's; both
// close-on-exec. Returns 0 or a negative errno.
int drb_program_pipe(int ends[2], int reads);

// A terminal's window, in characters. Return 0 or a negative errno.
int drb_set_window(int fd, int rows, int columns);
int drb_window(int fd, int *rows, int *columns);

// Puts a terminal into raw mode and returns what it was in, to be given to drb_restore_terminal once; NULL if it is no
// terminal.
void *drb_enter_raw_mode(int fd);
void drb_restore_terminal(int fd, void *before);

// Starts a program in the network namespace that is mounted at `network`, as the first of a session of its own, with fds as
// its standard descriptors and no others, and with /sys showing that namespace, as `ip netns exec` does. With `terminal`,
// fds[0] becomes its controlling terminal. Signals are at their defaults and unblocked. The caller's process must have
// one thread. Returns the pid or a negative errno.
int drb_spawn_inside(const char *network, const char *path, char *const argv[], char *const envp[], const int fds[3],
                     int terminal);

// mount(2) with MS_BIND of what a descriptor refers to, on an empty file made at `target`. Returns 0 or a negative errno.
int drb_bind_descriptor(int fd, const char *target);

// A listening, or a connected, Unix stream socket at `path`, close-on-exec and non-blocking if it listens. Paths may be as
// long as paths may be, not only 107 octets: the folder is opened first. Return the descriptor or a negative errno.
int drb_door_listen(const char *folder, const char *name);
int drb_door_connect(const char *folder, const char *name);
// The next client's connection, non-blocking and close-on-exec, or a negative errno.
int drb_door_accept(int listener);
// Both ends of a connection; the first is non-blocking, both are close-on-exec. Returns 0 or a negative errno.
int drb_connection(int ends[2]);
// send(2) with MSG_NOSIGNAL. Returns the count or a negative errno.
long drb_door_send(int fd, const void *octets, unsigned long count);

#endif
