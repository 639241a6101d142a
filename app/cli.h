/* The command line: one table of commands and options, from which parsing, --help, the man page
 * and shell completion are made. */
#ifndef BINNACLE_APP_CLI_H
#define BINNACLE_APP_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/status.h"

/* Exit codes that scripts rely on. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FINDING = 1, /* done, and what was found is negative */
    EXIT_FAILED = 2,  /* could not be done */
};

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INT,
    OPTION_NUMBER,
    OPTION_TIME, /* ISO-8601 UTC */
};

struct cli_option {
    const char *name; /* without the dashes; NULL ends a table */
    enum option_kind kind;
    const char *value; /* what stands for the value in help: "DIR" */
    const char *help;
    const char *fallback;    /* text of the default, or NULL */
    double minimum, maximum; /* numbers; both 0: any */
};

struct cli_args;

struct cli_command {
    const char *name;      /* "run" or "quarantine list"; NULL ends a table */
    const char *arguments; /* "[IN...]", or "" */
    const char *summary;   /* one line */
    const char *detail;    /* paragraphs for the man page and --help, or NULL */
    const char *example;   /* one command line, or NULL */
    const struct cli_option *options;
    int min_arguments;
    int max_arguments; /* -1: any number */
    int (*run)(const struct cli_args *args);
};

/* Runs the command that argv names; prints usage errors to stderr. Returns the exit code. */
int cli_main(const struct cli_command *commands, int argc, char **argv);

/* What was given. Text is borrowed from argv or the table. An option that the command does not
 * list is a programming error. */
bool cli_has(const struct cli_args *args, const char *option);
const char *cli_text(const struct cli_args *args, const char *option); /* default, or NULL */
/* The value that was given `index`-th for an option that may be given several times; NULL after the
 * last one. */
const char *cli_value(const struct cli_args *args, const char *option, int index);
bool cli_flag(const struct cli_args *args, const char *option);
int64_t cli_int(const struct cli_args *args, const char *option);
double cli_number(const struct cli_args *args, const char *option);
int64_t cli_time_us(const struct cli_args *args, const char *option);
int cli_n_arguments(const struct cli_args *args);
const char *cli_argument(const struct cli_args *args, int index);
const struct cli_command *cli_commands(const struct cli_args *args);

/* Prints "binnacle COMMAND: MESSAGE" on stderr and returns EXIT_FAILED. */
int cli_fail(const struct cli_args *args, const struct error *error);
/* A usage mistake that the table cannot see; same form, ends by naming --help. */
int cli_usage(const struct cli_args *args, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same for an option that was not given though the command cannot do without: EXIT_DONE when it
 * was, or has a default. */
int cli_need(const struct cli_args *args, const char *option);

/* Documents made from the table. */
void cli_print_help(const struct cli_command *commands, FILE *out);
void cli_print_command_help(const struct cli_command *command, FILE *out);
/* All commands that begin with this word, with their options: "quarantine". */
void cli_print_family_help(const struct cli_command *commands, const char *word, FILE *out);
void cli_print_man(const struct cli_command *commands, FILE *out);
void cli_print_completion(const struct cli_command *commands, FILE *out); /* bash */

#endif
