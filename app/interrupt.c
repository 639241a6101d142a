/* Reads the signals from a signalfd. */
#include "app/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct interrupt {
    int fd;
    atomic_bool came;
};

/* A closed terminal ends the process as it should be ended. Under nohup the signal is ignored, but
 * a blocked one would be delivered to the signalfd all the same. */
static bool hangs_up(void)
{
    struct sigaction now;
    return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN;
}

enum status interrupt_create(struct interrupt **interrupt, struct error *error)
{
    *interrupt = NULL;
    struct interrupt *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (hangs_up())
        sigaddset(&signals, SIGHUP);
    int failed = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    made->fd = failed ? -1 : signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (made->fd < 0) {
        free(made);
        return error_set(error, STATUS_IO, "signals cannot be watched: %s",
                         strerror(failed ? failed : errno));
    }
    *interrupt = made;
    return STATUS_OK;
}

void interrupt_destroy(struct interrupt *interrupt)
{
    if (!interrupt)
        return;
    close(interrupt->fd);
    free(interrupt);
}

bool interrupt_came(struct interrupt *interrupt)
{
    if (!interrupt)
        return false;
    struct signalfd_siginfo info;
    if (!atomic_load(&interrupt->came) && read(interrupt->fd, &info, sizeof info) == sizeof info)
        atomic_store(&interrupt->came, true);
    return atomic_load(&interrupt->came);
}

bool interrupt_wait(struct interrupt *interrupt, int timeout_ms)
{
    struct pollfd ready = {.fd = interrupt ? interrupt->fd : -1, .events = POLLIN};
    if (!interrupt_came(interrupt))
        poll(&ready, 1, timeout_ms);
    return interrupt_came(interrupt);
}
