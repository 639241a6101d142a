/* `top`: the screen of another process, or of a recording. */
#include <string.h>

#include "app/commands.h"
#include "app/interrupt.h"
#include "ui/tui/remote.h"

static bool is_stopped(void *context)
{
    return interrupt_came(context);
}

static int read_colours(const struct cli_args *args, enum tui_colours *colours)
{
    static const char *const words[] = {
        [COLOURS_AUTO] = "auto", [COLOURS_DARK] = "dark", [COLOURS_LIGHT] = "light"};
    const char *word = cli_text(args, "ground");
    for (int i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *colours = (enum tui_colours)i;
            return EXIT_DONE;
        }
    return cli_usage(args, "--ground is auto, dark or light, not '%s'", word);
}

static int read_charts(const struct cli_args *args, struct tui_options *screen)
{
    static const char *const words[] = {
        [CHARTS_AUTO] = "auto", [CHARTS_BRAILLE] = "braille", [CHARTS_BLOCKS] = "blocks"};
    const char *word = cli_text(args, "charts");
    bool ascii = strcmp(word, "ascii") == 0, known = ascii;
    screen->ascii = cli_flag(args, "ascii") || ascii;
    for (int i = 0; i < 3 && !known; i++) {
        known = strcmp(word, words[i]) == 0;
        screen->charts = known ? (enum tui_charts)i : CHARTS_AUTO;
    }
    return known ? EXIT_DONE
                 : cli_usage(args, "--charts is auto, braille, blocks or ascii, not '%s'", word);
}

int command_top(const struct cli_args *args)
{
    struct error error;
    struct interrupt *interrupt = NULL;
    struct remote_options options = {
        .url = cli_text(args, "url"),
        .token_file = cli_text(args, "token"),
        .record = cli_text(args, "record"),
        .play = cli_text(args, "play"),
        .once = cli_flag(args, "once"),
        .screen = {.screen = cli_text(args, "screen"),
                   .mouse = cli_flag(args, "mouse"),
                   .readonly = cli_flag(args, "readonly")},
        .stopped = is_stopped,
    };
    int code = read_colours(args, &options.screen.colours);
    if (code == EXIT_DONE)
        code = read_charts(args, &options.screen);
    if (code == EXIT_DONE && options.play && options.record)
        code = cli_usage(args, "--record and --play do not go together");
    if (code != EXIT_DONE)
        return code;
    enum status status = interrupt_create(&interrupt, &error);
    options.context = interrupt;
    if (status == STATUS_OK)
        status = remote_run(&options, &error);
    interrupt_destroy(interrupt);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
