// As PID 1 of a lab kernel: tries what the kernel's patches could have broken, and ends with status 0 if they have not.
// Its name is what it tries, as that of the misfit (Tests/Misfit) is what it does.
#include "trial.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    char program[4096];
    long length = argc > 0 ? readlink(argv[0], program, sizeof program - 1) : -1;
    program[length < 0 ? 0 : length] = 0;
    const char *slash = strrchr(program, '/');
    int wrong = slash && !strcmp(slash, "/registers") ? lost_registers() : changed_files();
    printf("trial: %d wrong\n", wrong);
    return wrong != 0;
}
