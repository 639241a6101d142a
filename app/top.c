/* `top`: the screen of another process, its snapshots fetched over HTTP. */
#include "app/commands.h"
#include "app/interrupt.h"
#include "ui/tui/remote.h"

static bool is_stopped(void *context)
{
    return interrupt_came(context);
}

int command_top(const struct cli_args *args)
{
    struct error error;
    struct interrupt *interrupt = NULL;
    enum status status = interrupt_create(&interrupt, &error);
    struct remote_options options = {
        .url = cli_text(args, "url"),
        .once = cli_flag(args, "once"),
        .ascii = cli_flag(args, "ascii"),
        .stopped = is_stopped,
        .context = interrupt,
    };
    if (status == STATUS_OK)
        status = remote_run(&options, &error);
    interrupt_destroy(interrupt);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
