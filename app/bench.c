/* `bench`: what each stage of a decision costs on this machine, as a table or JSON. */
#include "app/bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "engine/base/json.h"

struct machine {
    char cpu[128];
    long cores;
    const char *vectors; /* the widest that kernels are written for */
};

struct line {
    const char *name; /* in JSON; for people '_' is a space */
    double ns;
};

static void read_cpu(char *cpu, size_t size)
{
    char text[256];
    snprintf(cpu, size, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(text, sizeof text, file)) {
        const char *colon = strchr(text, ':');
        if (!colon || strncmp(text, "model name", 10) != 0)
            continue;
        snprintf(cpu, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

static struct machine look_at_machine(void)
{
    struct machine machine = {.cores = sysconf(_SC_NPROCESSORS_ONLN), .vectors = "none"};
    read_cpu(machine.cpu, sizeof machine.cpu);
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512bw"))
        machine.vectors = "avx512";
    else if (__builtin_cpu_supports("avx2"))
        machine.vectors = "avx2";
#endif
    return machine;
}

/* What is left of event-by-event work beside decoding and checking; never below nothing, since
 * those two are measured apart. */
static double identity_ns(const struct bench_figures *figures)
{
    return fmax(0, figures->stage_ns[STAGE_ACCEPT] - figures->parse_ns - figures->contract_ns);
}

#define N_LINES 12
static void fill_lines(const struct bench_figures *figures, struct line lines[N_LINES])
{
    const double *ns = figures->stage_ns;
    const struct line all[N_LINES] = {
        {"parse", figures->parse_ns},
        {"contract", figures->contract_ns},
        {"identity", identity_ns(figures)},
        {"features", ns[STAGE_FEATURES]},
        {"route", ns[STAGE_ROUTE]},
        {"score", ns[STAGE_SCORE]},
        {"shadow", ns[STAGE_SHADOW]},
        {"rules", ns[STAGE_DECIDE]},
        {"reasons", ns[STAGE_REASON]},
        {"record", ns[STAGE_RECORD]},
        {"ledger_writer", figures->writer_ns},
        {"observe", ns[STAGE_OBSERVE]},
    };
    memcpy(lines, all, sizeof all);
}

static void print_line(const char *name, double ns, double total_ns)
{
    char words[32];
    snprintf(words, sizeof words, "%s", name);
    for (char *at = words; *at; at++)
        *at = *at == '_' ? ' ' : *at;
    printf("  %-14s %10.1f %6.1f %%\n", words, ns, total_ns > 0 ? 100 * ns / total_ns : 0);
}

/* Beside each rate what it is when every decision says all of its reasons. */
static void print_rate(const char *name, double per_s, double explained_per_s, const char *how)
{
    printf("%s%*s%12.0f events/s%s", name, 20 - (int)strlen(name) + (name[0] == '\n'), "", per_s,
           how);
    if (isnan(explained_per_s))
        puts(" (with all reasons in line: no data, too few events)");
    else
        printf(" (with all reasons in line %.0f)\n", explained_per_s);
}

static void print_table(const struct machine *machine, const struct bench_figures *figures)
{
    struct line lines[N_LINES];
    fill_lines(figures, lines);
    printf("machine  %s, %ld cores, vectors %s\n", machine->cpu, machine->cores, machine->vectors);
    printf("model    %s, %zu trees, %zu features, kernel %s\n", figures->model, figures->n_trees,
           figures->n_features, figures->kernel);
    printf("events   %d runs of %zu, in batches of %d; %.1f %% accepted\n\n", figures->n_runs,
           figures->n_events, CACHED_BATCH,
           100.0 * (double)figures->n_accepted / (double)figures->n_answered);
    printf("  stage          ns an event  share\n");
    for (size_t i = 0; i < N_LINES; i++)
        print_line(lines[i].name, lines[i].ns, figures->total_ns);
    print_line("total", figures->total_ns, figures->total_ns);
    print_rate("\none core", 1e9 / figures->total_ns, 1e9 / figures->explained_ns, "");
    print_rate("to the disk", figures->durable_per_s, figures->explained_durable_per_s,
               " by the wall clock");
    printf("score, one row      %12.1f ns\n", figures->one_row_ns);
    printf("score, %4zu rows    %12.1f ns a row\n", figures->n_rows, figures->batch_row_ns);
    printf("contributions       %12.1f ns a row\n", figures->contribs_row_ns);
}

static void write_machine(struct json_writer *json, const struct machine *machine)
{
    json_object(json, "machine");
    json_text(json, "cpu", machine->cpu);
    json_int(json, "cores", machine->cores);
    json_text(json, "vectors", machine->vectors);
    json_object_end(json);
}

static void write_model(struct json_writer *json, const struct bench_figures *figures)
{
    json_object(json, "model");
    json_text(json, "name", figures->model);
    json_int(json, "trees", (int64_t)figures->n_trees);
    json_int(json, "features", (int64_t)figures->n_features);
    json_text(json, "kernel", figures->kernel);
    json_number(json, "one_row_ns", figures->one_row_ns);
    json_int(json, "batch_rows", (int64_t)figures->n_rows);
    json_number(json, "batch_row_ns", figures->batch_row_ns);
    json_number(json, "contributions_row_ns", figures->contribs_row_ns);
    json_object_end(json);
}

static void print_json(const struct machine *machine, const struct bench_figures *figures)
{
    struct line lines[N_LINES];
    struct buffer out;
    struct json_writer json;
    fill_lines(figures, lines);
    buffer_init(&out, 1u << 16);
    json_begin(&json, &out);
    json_object(&json, NULL);
    write_machine(&json, machine);
    write_model(&json, figures);
    json_int(&json, "runs", figures->n_runs);
    json_int(&json, "events", (int64_t)figures->n_events);
    json_int(&json, "batch", CACHED_BATCH);
    json_number(&json, "accepted_ratio", (double)figures->n_accepted / (double)figures->n_answered);
    json_object(&json, "stages_ns");
    for (size_t i = 0; i < N_LINES; i++)
        json_number(&json, lines[i].name, lines[i].ns);
    json_object_end(&json);
    json_number(&json, "total_ns", figures->total_ns);
    json_number(&json, "core_events_per_s", 1e9 / figures->total_ns);
    json_number(&json, "durable_events_per_s", figures->durable_per_s);
    json_object(&json, "all_reasons_in_line");
    json_number(&json, "total_ns", figures->explained_ns);
    json_number(&json, "core_events_per_s", 1e9 / figures->explained_ns);
    json_number(&json, "durable_events_per_s", figures->explained_durable_per_s);
    json_object_end(&json);
    json_object_end(&json);
    printf(SLICE_FORMAT "\n", SLICE_ARGS(buffer_slice(&out)));
    buffer_free(&out);
}

int command_bench(const struct cli_args *args)
{
    struct bench_options options = {
        .config_dir = cli_text(args, "config"),
        .model_file = cli_text(args, "model"),
        .input = cli_n_arguments(args) > 0 ? cli_argument(args, 0) : NULL,
        .n_events = (size_t)cli_int(args, "events"),
    };
    struct bench_figures figures;
    struct error error;
    enum status status = interrupt_create(&options.interrupt, &error);
    if (status == STATUS_OK)
        status = bench_run(&options, &figures, &error);
    interrupt_destroy(options.interrupt);
    if (status != STATUS_OK)
        return cli_fail(args, &error);
    struct machine machine = look_at_machine();
    if (cli_flag(args, "json"))
        print_json(&machine, &figures);
    else
        print_table(&machine, &figures);
    return EXIT_DONE;
}
