/* Commands about binnacle itself: version, manual, completion. */
#include <stdio.h>

#include "app/commands.h"

int command_version(const struct cli_args *args)
{
    (void)args;
    puts("binnacle " BINNACLE_VERSION);
    return EXIT_DONE;
}

int command_man(const struct cli_args *args)
{
    cli_print_man(cli_commands(args), stdout);
    return EXIT_DONE;
}

int command_completion(const struct cli_args *args)
{
    cli_print_completion(cli_commands(args), stdout);
    return EXIT_DONE;
}
