/* Help, man page and shell completion, all from the table of commands. */
#include <string.h>

#include "app/cli.h"

static const char *const about =
    "One binary that scores a production model's traffic, watches itself doing it, pages a\n"
    "person when it matters, and proves afterwards what it decided and why.\n";

void cli_print_help(const struct cli_command *commands, FILE *out)
{
    fprintf(out, "usage: binnacle COMMAND [OPTION...] [ARGUMENT...]\n\n%s\ncommands:\n", about);
    for (const struct cli_command *command = commands; command->name; command++)
        fprintf(out, "  %-18s %s\n", command->name, command->summary);
    fputs("\n`binnacle help COMMAND` says more. Results go to stdout, logs and progress to "
          "stderr.\n"
          "Exit code 0: done; 1: done, and the finding is negative; 2: could not be done.\n"
          "`-` is stdin or stdout; inputs ending in .gz are read as such; times are UTC.\n",
          out);
}

static void print_option_head(const struct cli_option *option, FILE *out)
{
    char head[64];
    snprintf(head, sizeof head, "--%s%s%s", option->name, option->value ? " " : "",
             option->value ? option->value : "");
    fprintf(out, "  %-24s ", head);
}

static void print_options(const struct cli_command *command, FILE *out)
{
    for (const struct cli_option *option = command->options; option && option->name; option++) {
        print_option_head(option, out);
        fprintf(out, "%s", option->help);
        if (option->fallback)
            fprintf(out, " (default: %s)", option->fallback);
        fputc('\n', out);
    }
}

static void print_usage(const struct cli_command *command, FILE *out)
{
    fprintf(out, "usage: binnacle %s%s%s%s\n", command->name,
            command->options && command->options[0].name ? " [OPTION...]" : "",
            command->arguments[0] ? " " : "", command->arguments);
}

void cli_print_command_help(const struct cli_command *command, FILE *out)
{
    print_usage(command, out);
    fprintf(out, "\n%s\n", command->summary);
    if (command->detail)
        fprintf(out, "\n%s\n", command->detail);
    if (command->options && command->options[0].name)
        fputs("\noptions:\n", out);
    print_options(command, out);
    if (command->example)
        fprintf(out, "\nexample:\n  %s\n", command->example);
}

void cli_print_family_help(const struct cli_command *commands, const char *word, FILE *out)
{
    size_t length = strlen(word);
    const char *separator = "";
    for (const struct cli_command *command = commands; command->name; command++) {
        if (strncmp(command->name, word, length) != 0 || command->name[length] != ' ')
            continue;
        fputs(separator, out);
        print_usage(command, out);
        fprintf(out, "  %s\n", command->summary);
        print_options(command, out);
        if (command->example)
            fprintf(out, "  example: %s\n", command->example);
        separator = "\n";
    }
}

/* Text in roff: a backslash, a leading dot or quote and every dash would be commands. */
static void print_roff(const char *text, FILE *out)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void print_man_option(const struct cli_option *option, FILE *out)
{
    fputs(".TP\n.B \\-\\-", out);
    print_roff(option->name, out);
    if (option->value)
        fprintf(out, " \\fI%s\\fR", option->value);
    fputc('\n', out);
    print_roff(option->help, out);
    if (option->fallback) {
        fputs(" (default: ", out);
        print_roff(option->fallback, out);
        fputc(')', out);
    }
    fputc('\n', out);
}

static void print_man_command(const struct cli_command *command, FILE *out)
{
    fputs(".SS binnacle ", out);
    print_roff(command->name, out);
    fputc(' ', out);
    print_roff(command->arguments, out);
    fputc('\n', out);
    print_roff(command->summary, out);
    fputs(".\n", out);
    if (command->detail) {
        fputs(".PP\n", out);
        print_roff(command->detail, out);
        fputc('\n', out);
    }
    for (const struct cli_option *option = command->options; option && option->name; option++)
        print_man_option(option, out);
    if (command->example) {
        fputs(".PP\nExample:\n.PP\n.nf\n.RS\n", out);
        print_roff(command->example, out);
        fputs("\n.RE\n.fi\n", out);
    }
}

void cli_print_man(const struct cli_command *commands, FILE *out)
{
    fputs(".TH BINNACLE 1 \"\" \"binnacle " BINNACLE_VERSION "\" \"User Commands\"\n"
          ".SH NAME\nbinnacle \\- score, watch and prove a production model's decisions\n"
          ".SH SYNOPSIS\n.B binnacle\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
          ".SH DESCRIPTION\n",
          out);
    print_roff(about, out);
    fputs(".SH COMMANDS\n", out);
    for (const struct cli_command *command = commands; command->name; command++)
        print_man_command(command, out);
    fputs(".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\nDone, and the finding is negative: drift found, "
          "record broken, rule fires.\n.TP\n2\nCould not be done: usage, configuration, input or "
          "I/O; one line on stderr says what, where and what to do.\n",
          out);
}

static void print_option_words(const struct cli_command *command, FILE *out)
{
    fputs("--help ", out);
    for (const struct cli_option *option = command->options; option && option->name; option++)
        fprintf(out, "--%s ", option->name);
}

/* Whether an earlier row begins with the same word, `length` characters of this row's name. */
static bool is_repeated(const struct cli_command *commands, const struct cli_command *command,
                        size_t length)
{
    return command > commands && strncmp(command[-1].name, command->name, length) == 0 &&
           (command[-1].name[length] == ' ' || command[-1].name[length] == '\0');
}

/* The words that commands begin with. */
static void print_first_words(const struct cli_command *commands, FILE *out)
{
    fputs("        '' | help) words=\"help ", out);
    for (const struct cli_command *command = commands; command->name; command++) {
        size_t length = strcspn(command->name, " ");
        if (!is_repeated(commands, command, length))
            fprintf(out, "%.*s ", (int)length, command->name);
    }
    fputs("\" ;;\n", out);
}

/* The words after the first one of this row, once for all rows that begin with it; a command may
 * be of that one word, too, and then its options are among them. */
static void print_second_words(const struct cli_command *commands, const struct cli_command *first,
                               FILE *out)
{
    size_t length = strcspn(first->name, " ");
    if (is_repeated(commands, first, length))
        return;
    const struct cli_command *end = first + 1;
    while (end->name && is_repeated(commands, end, length))
        end++;
    if (first->name[length] == '\0' && end == first + 1)
        return;
    fprintf(out, "        '%.*s' | 'help %.*s') words=\"", (int)length, first->name, (int)length,
            first->name);
    for (const struct cli_command *command = first; command < end; command++) {
        if (command->name[length] == ' ')
            fprintf(out, "%s ", command->name + length + 1);
        else
            print_option_words(command, out);
    }
    fputs("\" ;;\n", out);
}

/* Names of two words come first: the shell takes the first pattern that fits. */
static void print_options_of(const struct cli_command *commands, bool two_words, FILE *out)
{
    for (const struct cli_command *command = commands; command->name; command++) {
        if ((strchr(command->name, ' ') != NULL) != two_words)
            continue;
        fprintf(out, "        '%s' | '%s '*) words=\"", command->name, command->name);
        print_option_words(command, out);
        fputs("\" ;;\n", out);
    }
}

void cli_print_completion(const struct cli_command *commands, FILE *out)
{
    fputs("# bash completion for binnacle: source this file, or put it into\n"
          "# /usr/share/bash-completion/completions/binnacle\n"
          "_binnacle() {\n    local words=\"\" current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
          "    case \"${COMP_WORDS[*]:1:COMP_CWORD-1}\" in\n",
          out);
    print_first_words(commands, out);
    for (const struct cli_command *command = commands; command->name; command++)
        print_second_words(commands, command, out);
    print_options_of(commands, true, out);
    print_options_of(commands, false, out);
    fputs("    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- \"$current\"))\n"
          "}\ncomplete -o filenames -F _binnacle binnacle\n",
          out);
}
