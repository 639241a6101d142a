/* Finds the command in the table and runs it. SIGPIPE and SIGXFSZ are ignored, so that neither a
 * peer who goes away nor a limit on the size of files ends a service: every writer sees the error
 * where it happens, and cli_main() ends a command whose output nobody reads any more as a
 * pipeline's tools end. */
#include "app/app.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "app/commands.h"

/* Whoever started us may have closed a standard stream; the next file opened, perhaps a database,
 * would take its number and get what is printed. What stands in refuses to be used that way, so
 * that lost output is still an error. */
static void keep_standard_numbers(void)
{
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int app_main(int argc, char **argv)
{
    keep_standard_numbers();
    /* UTF-8 on the terminal, but numbers as in C whatever the user's locale. */
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return cli_main(commands, argc, argv);
}
