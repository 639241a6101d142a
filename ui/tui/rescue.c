/* What a handler of SIGSEGV needs cannot be passed to it, so it lies here: the settings as they
 * were, written before the signals are caught and only read by the handler. The handler calls
 * tcsetattr, write, sigaction and raise, which POSIX lets it (2017, 2.4.3). */
#include "ui/tui/rescue.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT};
#define N_SIGNALS ((int)(sizeof signals / sizeof *signals))

static struct {
    bool armed, has_settings;
    struct termios settings;
    struct sigaction before[N_SIGNALS];
} rescue;

/* Colours off, mouse off, the cursor shown, the ordinary screen with a line of its own. */
static const char reset[] = "\033[0m\033[?1000l\033[?1002l\033[?1006l\033[?25h\033[?1049l\r\n";

static void on_crash(int number)
{
    if (rescue.has_settings)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &rescue.settings);
    if (write(STDOUT_FILENO, reset, sizeof reset - 1) < 0) {
        /* nobody looks */
    }
    for (int i = 0; i < N_SIGNALS; i++)
        if (signals[i] == number)
            (void)sigaction(number, &rescue.before[i], NULL);
    (void)raise(number);
}

void rescue_arm(void)
{
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};
    rescue.has_settings = tcgetattr(STDIN_FILENO, &rescue.settings) == 0;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < N_SIGNALS; i++)
        (void)sigaction(signals[i], &action, &rescue.before[i]);
    rescue.armed = true;
}

void rescue_disarm(void)
{
    for (int i = 0; i < N_SIGNALS && rescue.armed; i++)
        (void)sigaction(signals[i], &rescue.before[i], NULL);
    rescue.armed = false;
}
