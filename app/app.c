/* Finds the command in the table and runs it. A closed pipe ends output, not the process: every
 * writer sees the error where it happens. */
#include "app/app.h"

#include <locale.h>
#include <signal.h>

#include "app/commands.h"

int app_main(int argc, char **argv)
{
    /* UTF-8 on the terminal, but numbers as in C whatever the user's locale. */
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    return cli_main(commands, argc, argv);
}
