// Whether vector registers survive system calls, other threads of the process, signals and forks. The lab kernel leaves
// them in the host's process as long as it can (netns/kernel/patches/0007), so each way in which another thread gets to run
// there is a way to lose them.
#define _GNU_SOURCE
#include "trial.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REGISTERS = 16, THREADS = 3, ROUNDS = 60 };
static atomic_int lost;

// Fills xmm0 to xmm15, makes a system call and reads them back; compilers save none of them across it.
static long call_with_registers(long number, uint64_t seed, long first, long second) {
    uint64_t before[REGISTERS][2], after[REGISTERS][2];
    for (int i = 0; i < REGISTERS; i++) {
        before[i][0] = seed * 0x9E3779B97F4A7C15u + (uint64_t)i;
        before[i][1] = ~before[i][0];
    }
    long result = number;
    __asm__ volatile(
        "movdqu 0x00(%[in]), %%xmm0; movdqu 0x10(%[in]), %%xmm1; movdqu 0x20(%[in]), %%xmm2; movdqu 0x30(%[in]), %%xmm3\n"
        "movdqu 0x40(%[in]), %%xmm4; movdqu 0x50(%[in]), %%xmm5; movdqu 0x60(%[in]), %%xmm6; movdqu 0x70(%[in]), %%xmm7\n"
        "movdqu 0x80(%[in]), %%xmm8; movdqu 0x90(%[in]), %%xmm9; movdqu 0xa0(%[in]), %%xmm10; movdqu 0xb0(%[in]), %%xmm11\n"
        "movdqu 0xc0(%[in]), %%xmm12; movdqu 0xd0(%[in]), %%xmm13; movdqu 0xe0(%[in]), %%xmm14; movdqu 0xf0(%[in]), %%xmm15\n"
        "syscall\n"
        "movdqu %%xmm0, 0x00(%[out]); movdqu %%xmm1, 0x10(%[out]); movdqu %%xmm2, 0x20(%[out]); movdqu %%xmm3, 0x30(%[out])\n"
        "movdqu %%xmm4, 0x40(%[out]); movdqu %%xmm5, 0x50(%[out]); movdqu %%xmm6, 0x60(%[out]); movdqu %%xmm7, 0x70(%[out])\n"
        "movdqu %%xmm8, 0x80(%[out]); movdqu %%xmm9, 0x90(%[out]); movdqu %%xmm10, 0xa0(%[out]); movdqu %%xmm11, 0xb0(%[out])\n"
        "movdqu %%xmm12, 0xc0(%[out]); movdqu %%xmm13, 0xd0(%[out]); movdqu %%xmm14, 0xe0(%[out]); movdqu %%xmm15, 0xf0(%[out])\n"
        : "+a"(result)
        : [in] "r"(before), [out] "r"(after), "D"(first), "S"(second)
        : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
          "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    if (memcmp(before, after, sizeof before)) lost++;
    return result;
}

static void spoil(int signal) {
    (void)signal;
    call_with_registers(SYS_sched_yield, 0xBAD, 0, 0);
}

static void *work(void *argument) {
    uint64_t own = (uint64_t)(uintptr_t)argument;
    for (volatile uint64_t round = 0; round < ROUNDS; round++) {
        call_with_registers(SYS_sched_yield, own << 32 | round, 0, 0);
        // The handler runs in the middle of this call.
        call_with_registers(SYS_tkill, own << 40 | round, syscall(SYS_gettid), SIGUSR1);
        if (round % 20 == 0) {
            long child = call_with_registers(SYS_fork, own << 48 | round, 0, 0);
            if (child == 0) _exit(atomic_load(&lost) != 0);
            int status = 1;
            while (waitpid((pid_t)child, &status, 0) < 0) {}
            if (status != 0) lost++;
            child = vfork();
            if (child == 0) {
                char *words[] = {"/bin/true", NULL}, *nothing[] = {NULL};
                execve(words[0], words, nothing);
                _exit(1);
            }
            while (waitpid((pid_t)child, &status, 0) < 0) {}
            call_with_registers(SYS_getppid, own << 56 | round, 0, 0);
        }
    }
    return NULL;
}

int lost_registers(void) {
    struct sigaction action = {.sa_handler = spoil};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(i + 1))) return -1;
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return atomic_load(&lost);
}
