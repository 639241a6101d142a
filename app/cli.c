/* Parses the command line against the table of commands. What a command gets has already been
 * checked for spelling, kind and range, so commands only deal with meaning. One thread. */
#include "app/cli.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/utf8.h"
#include "engine/base/yaml.h"

#define MAX_OPTIONS  32
#define MAX_COMMANDS 64
#define USAGE_SIZE   1024

struct given {
    int option; /* place in the table */
    const char *value;
};

struct cli_args {
    const struct cli_command *commands;
    const struct cli_command *command;
    const char *values[MAX_OPTIONS]; /* by the option's place in the table; NULL: not given */
    struct given *given;             /* every value in its order, for options given several times */
    int n_given;
    const char **arguments;
    int n_arguments;
};

static size_t count_options(const struct cli_option *options)
{
    size_t n = 0;
    while (options && options[n].name)
        n++;
    assert(n <= MAX_OPTIONS);
    return n;
}

static int option_index(const struct cli_args *args, const char *name)
{
    const struct cli_option *options = args->command->options;
    for (size_t i = 0; options && options[i].name; i++) {
        if (strcmp(options[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* ---- what commands ask ---- */

static const struct cli_option *the_option(const struct cli_args *args, const char *name, int *at)
{
    *at = option_index(args, name);
    assert(*at >= 0 && "option is not in the command's table");
    return &args->command->options[*at];
}

bool cli_has(const struct cli_args *args, const char *option)
{
    int at;
    the_option(args, option, &at);
    return args->values[at] != NULL;
}

const char *cli_text(const struct cli_args *args, const char *option)
{
    int at;
    const struct cli_option *row = the_option(args, option, &at);
    return args->values[at] ? args->values[at] : row->fallback;
}

const char *cli_value(const struct cli_args *args, const char *option, int index)
{
    int at;
    the_option(args, option, &at);
    for (int i = 0; i < args->n_given; i++) {
        if (args->given[i].option == at && index-- == 0)
            return args->given[i].value;
    }
    return NULL;
}

bool cli_flag(const struct cli_args *args, const char *option)
{
    return cli_has(args, option);
}

int64_t cli_int(const struct cli_args *args, const char *option)
{
    const char *text = cli_text(args, option);
    return text ? strtoll(text, NULL, 10) : 0;
}

double cli_number(const struct cli_args *args, const char *option)
{
    const char *text = cli_text(args, option);
    return text ? strtod(text, NULL) : 0;
}

int64_t cli_time_us(const struct cli_args *args, const char *option)
{
    const char *text = cli_text(args, option);
    int64_t time_us = 0;
    if (text && !time_parse(slice_of(text), &time_us))
        assert(!"times are checked when parsed");
    return time_us;
}

int cli_n_arguments(const struct cli_args *args)
{
    return args->n_arguments;
}

const char *cli_argument(const struct cli_args *args, int index)
{
    return index < args->n_arguments ? args->arguments[index] : NULL;
}

const struct cli_command *cli_commands(const struct cli_args *args)
{
    return args->commands;
}

/* Whoever read our output has enough of it (`| head`). SIGPIPE is ignored, because sockets would
 * raise it too, so writing failed instead. */
static bool reader_left(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return ferror(stdout) && poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* What comes from a file or a command line may hold anything: it stays one line, and no terminal
 * obeys it. */
static void put_safely(const char *text)
{
    struct slice rest = slice_of(text);
    while (rest.size > 0) {
        unsigned code = (unsigned char)*rest.data;
        size_t unsafe = utf8_unsafe(rest, &code), good = utf8_length(rest);
        size_t used = unsafe ? unsafe : good ? good : 1;
        if (code == '\n')
            fputs("\\n", stderr);
        else if (unsafe || !good)
            fprintf(stderr, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
        else
            fwrite(rest.data, 1, used, stderr);
        rest = slice_make(rest.data + used, rest.size - used);
    }
}

int cli_fail(const struct cli_args *args, const struct error *error)
{
    if (reader_left())
        return EXIT_FAILED; /* cli_main() ends quietly */
    fprintf(stderr, "binnacle %s: ", args->command->name);
    put_safely(error->message);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int cli_usage(const struct cli_args *args, const char *format, ...)
{
    char message[USAGE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    fprintf(stderr, "binnacle %s: ", args->command->name);
    put_safely(message);
    fprintf(stderr, " (see binnacle %s --help)\n", args->command->name);
    return EXIT_FAILED;
}

int cli_need(const struct cli_args *args, const char *name)
{
    int at;
    const struct cli_option *option = the_option(args, name, &at);
    return cli_text(args, name) ? EXIT_DONE
                                : cli_usage(args, "--%s %s is needed", name, option->value);
}

/* ---- parsing ---- */

static bool in_range(const struct cli_option *option, double number)
{
    if (option->minimum == 0 && option->maximum == 0)
        return true;
    return number >= option->minimum && number <= option->maximum;
}

/* What is wrong with a value, or NULL. */
static const char *value_problem(const struct cli_option *option, const char *text)
{
    char *end;
    int64_t us;
    errno = 0;
    switch (option->kind) {
    case OPTION_FLAG:
    case OPTION_TEXT:
        return NULL;
    case OPTION_INT: {
        long long integer = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || errno)
            return "a whole number is needed";
        return in_range(option, (double)integer) ? NULL : "the number is out of range";
    }
    case OPTION_NUMBER: {
        double number = strtod(text, &end);
        if (end == text || *end != '\0' || errno || !isfinite(number))
            return "a number is needed";
        return in_range(option, number) ? NULL : "the number is out of range";
    }
    case OPTION_TIME:
        return time_parse(slice_of(text), &us) ? NULL
                                               : "a time such as 2026-01-31T12:00:00Z is needed";
    }
    return NULL;
}

static int unknown_option(const struct cli_args *args, const char *name)
{
    const char *names[MAX_OPTIONS];
    size_t n = count_options(args->command->options);
    for (size_t i = 0; i < n; i++)
        names[i] = args->command->options[i].name;
    const char *near = nearest_word(name, names, n);
    if (near)
        return cli_usage(args, "there is no option --%s; did you mean --%s?", name, near);
    return cli_usage(args, "there is no option --%s", name);
}

/* Takes the option at argv[*at]; moves *at over its value. */
static int take_option(struct cli_args *args, int argc, char **argv, int *at)
{
    char name[64];
    const char *text = argv[*at] + 2;
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    if (length >= sizeof name)
        return cli_usage(args, "there is no option %.40s...", argv[*at]);
    memcpy(name, text, length);
    name[length] = '\0';

    int index = option_index(args, name);
    if (index < 0)
        return unknown_option(args, name);
    const struct cli_option *option = &args->command->options[index];
    if (option->kind == OPTION_FLAG) {
        if (equals)
            return cli_usage(args, "--%s takes no value", name);
        args->values[index] = "";
        return EXIT_DONE;
    }
    if (!equals && *at + 1 >= argc)
        return cli_usage(args, "--%s needs a value: %s", name, option->value);
    const char *value = equals ? equals + 1 : argv[++*at];
    const char *problem = value_problem(option, value);
    if (problem)
        return cli_usage(args, "--%s %s: %s", name, value, problem);
    args->values[index] = value;
    args->given[args->n_given++] = (struct given){index, value};
    return EXIT_DONE;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

static int parse(struct cli_args *args, int argc, char **argv)
{
    bool only_arguments = false;
    for (int i = 0; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && is_option(argv[i])) {
            int code = take_option(args, argc, argv, &i);
            if (code != EXIT_DONE)
                return code;
        } else if (!only_arguments && strcmp(argv[i], "-o") == 0) {
            if (option_index(args, "output") < 0 || i + 1 >= argc)
                return cli_usage(args, "-o needs a FILE");
            args->values[option_index(args, "output")] = argv[++i];
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1] != '\0') {
            return cli_usage(args, "options begin with two dashes: %s", argv[i]);
        } else {
            args->arguments[args->n_arguments++] = argv[i];
        }
    }
    const struct cli_command *command = args->command;
    if (args->n_arguments < command->min_arguments)
        return cli_usage(args, "something is missing: binnacle %s %s", command->name,
                         command->arguments);
    if (command->max_arguments >= 0 && args->n_arguments > command->max_arguments)
        return cli_usage(args, "too many arguments: %s", args->arguments[command->max_arguments]);
    return EXIT_DONE;
}

/* The command whose words (one or two) stand at the start of argv; *used gets their number. */
static const struct cli_command *find_command(const struct cli_command *commands, int argc,
                                              char *const *argv, int *used)
{
    char two[128];
    snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (const struct cli_command *command = commands; command->name; command++) {
        if (argc > 1 && strcmp(command->name, two) == 0) {
            *used = 2;
            return command;
        }
    }
    for (const struct cli_command *command = commands; command->name; command++) {
        if (strcmp(command->name, argv[0]) == 0) {
            *used = 1;
            return command;
        }
    }
    return NULL;
}

/* Whether `word` begins this command of two words ("quarantine" begins "quarantine list"). */
static bool is_family(const struct cli_command *command, const char *word)
{
    size_t length = strlen(word);
    return strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

static bool has_family(const struct cli_command *commands, const char *word)
{
    while (commands->name && !is_family(commands, word))
        commands++;
    return commands->name != NULL;
}

/* "binnacle quarantine" says too little. */
static int incomplete_command(const struct cli_command *commands, const char *word)
{
    const char *separator = "";
    fprintf(stderr, "binnacle %s: a second word is needed: ", word);
    for (const struct cli_command *command = commands; command->name; command++) {
        if (!is_family(command, word))
            continue;
        fprintf(stderr, "%s%s", separator, command->name + strlen(word) + 1);
        separator = ", ";
    }
    fprintf(stderr, " (see binnacle %s --help)\n", word);
    return EXIT_FAILED;
}

static int unknown_command(const struct cli_command *commands, int argc, char *const *argv)
{
    bool family = has_family(commands, argv[0]);
    if (family && argc == 1)
        return incomplete_command(commands, argv[0]);
    char typed[128];
    snprintf(typed, sizeof typed, "%s%s%s", argv[0], family ? " " : "", family ? argv[1] : "");
    const char *names[MAX_COMMANDS];
    size_t n = 0;
    for (; commands[n].name && n < MAX_COMMANDS; n++)
        names[n] = commands[n].name;
    const char *near = nearest_word(typed, names, n);
    fputs("binnacle: there is no command '", stderr);
    put_safely(typed);
    if (near)
        fprintf(stderr, "'; did you mean '%s'?\n", near);
    else
        fprintf(stderr, "' (see binnacle %s%s--help)\n", family ? argv[0] : "", family ? " " : "");
    return EXIT_FAILED;
}

/* Help on what these words name: a command, a family of commands, or without words all. */
static int help_on(const struct cli_command *commands, int argc, char *const *argv)
{
    int used = 0;
    const struct cli_command *command = argc > 0 ? find_command(commands, argc, argv, &used) : NULL;
    if (argc == 0)
        cli_print_help(commands, stdout);
    else if (command && used == argc)
        cli_print_command_help(command, stdout);
    else if (argc == 1 && has_family(commands, argv[0]))
        cli_print_family_help(commands, argv[0], stdout);
    else
        return unknown_command(commands, argc, argv);
    return EXIT_DONE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i]))
            return true;
    }
    return false;
}

static int run_command(const struct cli_command *commands, const struct cli_command *command,
                       int argc, char **argv)
{
    if (asks_for_help(argc, argv)) {
        cli_print_command_help(command, stdout);
        return EXIT_DONE;
    }
    count_options(command->options);
    struct cli_args args = {.commands = commands, .command = command};
    args.arguments = calloc((size_t)argc + 1, sizeof *args.arguments);
    args.given = calloc((size_t)argc + 1, sizeof *args.given);
    int code = EXIT_FAILED;
    if (!args.arguments || !args.given)
        fputs("binnacle: out of memory\n", stderr);
    else
        code = parse(&args, argc, argv);
    if (code == EXIT_DONE)
        code = command->run(&args);
    free(args.given);
    free(args.arguments);
    return code;
}

static int dispatch(const struct cli_command *commands, int argc, char **argv)
{
    if (argc < 2) {
        cli_print_help(commands, stderr);
        return EXIT_FAILED;
    }
    if (is_help(argv[1]))
        return help_on(commands, 0, NULL);
    if (strcmp(argv[1], "help") == 0)
        return help_on(commands, argc - 2, argv + 2);
    if (argc == 3 && is_help(argv[2]))
        return help_on(commands, 1, argv + 1);
    char version[] = "version";
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    int used = 0;
    const struct cli_command *command = find_command(commands, argc - 1, argv + 1, &used);
    if (!command)
        return unknown_command(commands, argc - 1, argv + 1);
    return run_command(commands, command, argc - 1 - used, argv + 1 + used);
}

/* As every tool of a pipeline ends then: without a word, by that signal. */
static void die_of_sigpipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

int cli_main(const struct cli_command *commands, int argc, char **argv)
{
    int code = dispatch(commands, argc, argv);
    bool lost = fflush(stdout) != 0;
    if (!lost && !ferror(stdout))
        return code;
    if (reader_left()) {
        if (argc > 1 && strcmp(argv[1], "run") == 0)
            return code; /* a service: what it said on the side is not its result */
        die_of_sigpipe();
    }
    if (code != EXIT_FAILED)
        fprintf(stderr, "binnacle: stdout: cannot be written%s%s\n", lost ? ": " : "",
                lost ? strerror(errno) : "");
    return EXIT_FAILED;
}
