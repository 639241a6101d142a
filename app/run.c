/* `run`: the service, until interrupted. In a terminal with the screen of `top`, elsewhere with a
 * status line. */
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/demo.h"
#include "app/interrupt.h"
#include "app/memory.h"
#include "app/service.h"
#include "engine/base/number.h"
#include "ui/tui/tui.h"
#include "ui/view/words.h"

#define STATUS_EVERY_TICKS 10

static bool wants_screen(const struct cli_args *args)
{
    const char *term = getenv("TERM");
    return !cli_flag(args, "no-tui") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term &&
           strcmp(term, "dumb") != 0;
}

static int read_level(const struct cli_args *args, enum log_level *level)
{
    if (log_level_parse(cli_text(args, "log-level"), level))
        return EXIT_DONE;
    return cli_usage(args, "--log-level is debug, info, warn or error, not '%s'",
                     cli_text(args, "log-level"));
}

static int check_usage(const struct cli_args *args)
{
    bool demo = cli_flag(args, "demo");
    if (!demo && !cli_text(args, "config"))
        return cli_usage(args, "--config DIR is needed, or --demo");
    if (demo && cli_text(args, "config"))
        return cli_usage(args, "--demo brings its own configuration: leave --config out");
    return EXIT_DONE;
}

/* What nobody can read, because the disk of the log is full perhaps, is lost: that is no failure of
 * the service. */
static void flush_output(void)
{
    if (fflush(stdout) == 0)
        return;
    __fpurge(stdout);
    clearerr(stdout);
}

static void print_place(const struct service *service, const struct demo *demo)
{
    char address[SERVICE_ADDRESS_SIZE];
    printf("binnacle: page and API on http://%s/  (OpenAPI at /api/openapi.json)\n",
           service_address(service, address));
    if (demo->folder)
        printf("binnacle: state in %s (configuration, model, ledger)\n", demo->folder);
    if (service_ledger(service) &&
        (!demo->folder || strcmp(service_ledger(service), demo->ledger) != 0))
        printf("binnacle: ledger in %s\n", service_ledger(service));
    else if (!service_ledger(service))
        puts("binnacle: no ledger is configured: decisions are not recorded");
    puts("binnacle: Ctrl-C drains, commits and ends");
    flush_output();
}

static void print_status(struct service *service)
{
    const struct snapshot *snapshot = snapshot_acquire(service_board(service));
    if (!snapshot)
        return;
    char rate[WORD_SIZE], p99[WORD_SIZE], total[WORD_SIZE], at[WORD_SIZE];
    printf("%s  %s  p99 %s  %s %s  %llu quarantined  %d %s\n",
           words_time(snapshot->time_us, snapshot->event_time ? 0 : snapshot->time_us, true, at),
           words_rate(snapshot->events_per_s, rate), words_latency(snapshot->latency_us.p99, p99),
           words_count(snapshot->events_total, total),
           number_noun(snapshot->events_total, "event", "events"),
           (unsigned long long)snapshot->quarantined_total, snapshot->n_alerts,
           number_noun((uint64_t)snapshot->n_alerts, "alert", "alerts"));
    flush_output();
    snapshot_release(snapshot);
}

static void serve(struct service *service, struct interrupt *interrupt)
{
    for (unsigned ticks = 1; !interrupt_wait(interrupt, 1000); ticks++) {
        service_tick(service);
        if (ticks % STATUS_EVERY_TICKS == 0)
            print_status(service);
    }
}

/* ---- with the screen ---- */

struct screen {
    struct service *service;
    struct interrupt *interrupt;
};

static bool tick_screen(void *context)
{
    struct screen *screen = context;
    service_tick(screen->service);
    return !interrupt_came(screen->interrupt);
}

/* The screen reads what a remote one reads, without the way over the network. */
static int ask_service(void *context, const char *method, const char *target, struct slice body,
                       struct buffer *reply, struct error *error)
{
    (void)error;
    return service_call(context, method, target, body, reply);
}

static enum status show_screen(struct service *service, struct interrupt *interrupt,
                               struct error *error)
{
    struct screen screen = {service, interrupt};
    struct feed_source source = {.ask = ask_service, .context = service};
    struct tui_options options = {
        .board = service_board(service),
        .tick = tick_screen,
        .context = &screen,
    };
    enum status status = feed_create(&source, &options.feed, error);
    if (status != STATUS_OK)
        return status;
    log_redirect(service_log(service), -1);
    status = tui_run(&options, error);
    log_redirect(service_log(service), STDERR_FILENO);
    feed_destroy(options.feed);
    return status;
}

static enum status run(const struct cli_args *args, const struct service_options *options,
                       const struct demo *demo, struct error *error)
{
    struct interrupt *interrupt = NULL;
    struct service *service = NULL;
    enum status status = interrupt_create(&interrupt, error);
    if (status == STATUS_OK)
        status = service_start(options, &service, error);
    if (status == STATUS_OK) {
        print_place(service, demo);
        memory_settle();
        if (wants_screen(args))
            status = show_screen(service, interrupt, error);
        else
            serve(service, interrupt);
        if (status == STATUS_UNSUPPORTED) {
            fprintf(stderr, "binnacle: no screen: %s\n", error->message);
            serve(service, interrupt);
            status = STATUS_OK;
        }
    }
    if (service)
        puts("binnacle: draining and committing");
    flush_output();
    service_stop(service);
    interrupt_destroy(interrupt);
    return status;
}

int command_run(const struct cli_args *args)
{
    struct service_options options = {0};
    struct demo demo = {0};
    struct error error;
    int code = check_usage(args);
    if (code == EXIT_DONE)
        code = read_level(args, &options.log_level);
    if (code != EXIT_DONE)
        return code;
    enum status status = STATUS_OK;
    if (cli_flag(args, "demo"))
        status = demo_prepare(&demo, &error);
    options.listen = cli_text(args, "listen");
    options.listen_score = cli_text(args, "listen-score");
    options.input = cli_text(args, "input");
    options.speed = cli_text(args, "speed");
    options.session = (struct session_options){
        .config_dir = demo.config ? demo.config : cli_text(args, "config"),
        .model_file = cli_text(args, "model") ? cli_text(args, "model") : demo.model,
        .canary_file = cli_text(args, "model") ? NULL : demo.canary,
        .ledger_dir = cli_text(args, "ledger") ? cli_text(args, "ledger") : demo.ledger,
        .model_name = demo.model && !cli_text(args, "model") ? "fraud" : NULL,
        .model_version = demo.model && !cli_text(args, "model") ? "demo" : NULL,
        .use_configured_ledger = true,
        .choose_source = true,
        .input = options.input,
    };
    if (status == STATUS_OK)
        status = run(args, &options, &demo, &error);
    demo_free(&demo);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}
