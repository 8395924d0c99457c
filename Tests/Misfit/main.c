// An init for lab kernels that does what PID 1 must not do. Its name is what it does: a guest's init has no arguments of
// its own, so tests copy this program to the names below; what it was started as is a link to that copy.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
    char program[4096];
    ssize_t length = argc > 0 ? readlink(argv[0], program, sizeof program - 1) : -1;

    program[length < 0 ? 0 : length] = 0;
    const char *slash = strrchr(program, '/');
    const char *what = slash ? slash + 1 : "";

    setvbuf(stdout, NULL, _IONBF, 0);
    printf("misfit: %s\n", what);
    if (!strcmp(what, "crash"))
        *(volatile int *)0 = 1;
    if (!strcmp(what, "exit"))
        return 7;
    if (!strcmp(what, "spin")) // not in the kernel's process but in a traced child of it
        for (;;)
            ;
    if (!strcmp(what, "flood")) // never silent, never finished
        for (;;)
            puts("misfit: a line that says nothing at all, again and again and again");
    if (!strcmp(what, "chatter")) // the same in as many lines as possible
        for (;;)
            puts("y");
    if (!strcmp(what, "forever")) // as the kernel itself says it, in case it does
        puts("Kernel panic - not syncing: The system was going to sleep forever, aborting");
    reboot(RB_POWER_OFF); // "off" and whatever else
    return 1;
}
