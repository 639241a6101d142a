/* `ledger status|seal|archive|retention|hold|release`: the tiers of a ledger's days. What changes
 * them needs the ledger for itself: a running service keeps it, and takes its days from tier to
 * tier on its own. */
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/config.h"
#include "app/output.h"
#include "engine/base/encoding.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/record/day_list.h"
#include "engine/record/keeper.h"
#include "engine/record/retention.h"

#define TEXT_BYTES (64u << 20)

/* ---- status ---- */

static void status_json(const struct tier_day *day, struct buffer *out)
{
    struct json_writer json;
    char name[TIME_TEXT_SIZE];
    json_begin(&json, out);
    json_object(&json, NULL);
    time_format(day->day * US_PER_DAY, name);
    json_string(&json, "day", slice_make(name, 10));
    json_text(&json, "tier", tier_name(day->tier));
    json_int(&json, "first_index", (int64_t)day->first_index);
    json_int(&json, "rows", (int64_t)(day->tree_size - day->first_index));
    json_int(&json, "bytes", day->plain.bytes);
    json_hex(&json, "root", day->root, SHA256_SIZE);
    if (day->tier == TIER_LIVE)
        json_null(&json, "sha256");
    else
        json_hex(&json, "sha256", day->plain.sha256, SHA256_SIZE);
    if (day->packed.bytes > 0)
        json_int(&json, "compressed_bytes", day->packed.bytes);
    else
        json_null(&json, "compressed_bytes");
    json_object_end(&json);
    buffer_append_char(out, '\n');
}

static void status_text(const struct tier_day *day, struct buffer *out)
{
    char name[TIME_TEXT_SIZE], hash[2 * SHA256_SIZE + 1];
    time_format(day->day * US_PER_DAY, name);
    hex_encode(day->plain.sha256, SHA256_SIZE, hash);
    buffer_printf(out, "%.10s  %-10s  %10" PRIu64 " rows  %14" PRId64 " bytes  %s\n", name,
                  tier_name(day->tier), day->tree_size - day->first_index,
                  day->packed.bytes > 0 ? day->packed.bytes : day->plain.bytes,
                  day->tier == TIER_LIVE ? "-" : hash);
}

int command_ledger_status(const struct cli_args *args)
{
    struct error error;
    struct tier_day *days = NULL;
    struct buffer text;
    size_t n = 0;
    int code = cli_need(args, "ledger");
    if (code != EXIT_DONE)
        return code;
    buffer_init(&text, TEXT_BYTES);
    enum status status = ledger_days(cli_text(args, "ledger"), &days, &n, &error);
    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        (cli_flag(args, "json") ? status_json : status_text)(&days[i], &text);
    if (status == STATUS_OK)
        status = output_write(stdout, "stdout", buffer_slice(&text), &error);
    buffer_free(&text);
    free(days);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

/* ---- one pass ---- */

static const char *step_word(enum keeper_step step)
{
    switch (step) {
    case KEEPER_SEAL:
        return "seal";
    case KEEPER_COMPRESS:
        return "compress";
    case KEEPER_MOVE:
        return "move";
    case KEEPER_DELETE:
        return "delete";
    }
    return "keep";
}

static void show_step(void *context, enum keeper_step step, const struct tier_day *day)
{
    const struct cli_args *args = context;
    char name[TIME_TEXT_SIZE];
    time_format(day->day * US_PER_DAY, name);
    if (cli_flag(args, "json"))
        printf("{\"day\":\"%.10s\",\"step\":\"%s\",\"rows\":%" PRIu64 ",\"dry_run\":%s}\n", name,
               step_word(step), day->tree_size - day->first_index,
               cli_flag(args, "dry-run") ? "true" : "false");
    else
        printf("%.10s  %s%s  %" PRIu64 " rows\n", name, cli_flag(args, "dry-run") ? "would " : "",
               step_word(step), day->tree_size - day->first_index);
}

/* A ledger that this process has for itself for a moment. Its clock stands where its rows end, so
 * that what is recorded of its days does not begin another. */
struct owned {
    struct clock *clock, *wall;
    struct log *log;
    struct ledger *ledger;
    struct keeper *keeper;
};

static enum status own(const struct cli_args *args, const struct tier_policy *policy,
                       struct owned *owned, struct error *error)
{
    struct ledger_stats stats;
    owned->clock = clock_create_event(0);
    owned->wall = clock_create_wall();
    owned->log = log_create(2, LOG_WARN, false);
    if (!owned->clock || !owned->wall || !owned->log)
        return error_set(error, STATUS_MEMORY, "out of memory");
    struct ledger_options options = {
        .dir = cli_text(args, "ledger"), .clock = owned->clock, .log = owned->log};
    enum status status = ledger_open(&options, &owned->ledger, error);
    if (status == STATUS_CONFLICT)
        error_prefix(error, "a running service takes its days from tier to tier by itself");
    if (status != STATUS_OK)
        return status;
    ledger_stats(owned->ledger, &stats);
    clock_advance(owned->clock, stats.high_us);
    struct keeper_options keeping = {.dir = options.dir,
                                     .ledger = owned->ledger,
                                     .clock = owned->clock,
                                     .log = owned->log,
                                     .policy = *policy};
    return keeper_create(&keeping, &owned->keeper, error);
}

static enum status disown(struct owned *owned, enum status status, struct error *error)
{
    struct error problem;
    keeper_destroy(owned->keeper);
    enum status closed = ledger_close(owned->ledger, &problem);
    if (status == STATUS_OK && closed != STATUS_OK) {
        *error = problem;
        status = closed;
    }
    log_destroy(owned->log);
    clock_destroy(owned->wall);
    clock_destroy(owned->clock);
    return status;
}

/* ledger_open() would make a ledger where there is none. */
static enum status must_exist(const struct cli_args *args, struct error *error)
{
    struct tier_day *days = NULL;
    size_t n;
    enum status status = ledger_days(cli_text(args, "ledger"), &days, &n, error);
    free(days);
    if (status == STATUS_OK && n == 0)
        status = error_set(error, STATUS_NOT_FOUND, "%s: there is no day of a ledger in it",
                           cli_text(args, "ledger"));
    return status;
}

static int run_pass(const struct cli_args *args, const struct tier_policy *policy, unsigned steps,
                    int64_t at_us)
{
    struct owned owned = {0};
    struct error error;
    struct keeper_pass pass = {.steps = steps,
                               .before_us =
                                   cli_has(args, "before") ? cli_time_us(args, "before") : 0,
                               .dry_run = cli_flag(args, "dry-run"),
                               .each = show_step,
                               .context = (void *)(uintptr_t)args};
    enum status status = must_exist(args, &error);
    if (status == STATUS_OK) {
        status = own(args, policy, &owned, &error);
        if (status == STATUS_OK) {
            pass.now_us = at_us ? at_us : clock_now_us(owned.wall);
            status = keeper_run(owned.keeper, &pass, &error);
        }
        status = disown(&owned, status, &error);
    }
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

int command_ledger_seal(const struct cli_args *args)
{
    struct tier_policy policy = tiers_default();
    int code = cli_need(args, "ledger");
    policy.grace_us = 0;
    policy.keep_raw = true;
    return code == EXIT_DONE ? run_pass(args, &policy, KEEPER_SEAL, 0) : code;
}

/* The policy of --config, or the default. */
static int read_policy(const struct cli_args *args, struct config **config,
                       struct tier_policy *policy)
{
    struct error error;
    *policy = tiers_default();
    if (!cli_has(args, "config"))
        return EXIT_DONE;
    if (config_load(cli_text(args, "config"), config, &error) != STATUS_OK)
        return cli_fail(args, &error);
    *policy = (*config)->ledger.policy;
    return EXIT_DONE;
}

int command_ledger_archive(const struct cli_args *args)
{
    struct tier_policy policy;
    struct config *config = NULL;
    int code = cli_need(args, "ledger");
    if (code == EXIT_DONE)
        code = read_policy(args, &config, &policy);
    if (code != EXIT_DONE)
        return code;
    if (cli_has(args, "before")) {
        policy.grace_us = policy.live_us = policy.move_us = 0;
        policy.keep_raw = true;
    }
    code = run_pass(args, &policy, KEEPER_SEAL | KEEPER_COMPRESS | KEEPER_MOVE, 0);
    config_destroy(config);
    return code;
}

int command_ledger_retention(const struct cli_args *args)
{
    struct tier_policy policy;
    struct config *config = NULL;
    int code = cli_need(args, "ledger");
    if (code == EXIT_DONE && cli_has(args, "at") && !cli_flag(args, "dry-run"))
        code = cli_usage(args, "--at goes with --dry-run: what is done is done as of now");
    if (code == EXIT_DONE)
        code = read_policy(args, &config, &policy);
    if (code != EXIT_DONE)
        return code;
    code = run_pass(args, &policy, KEEPER_ALL, cli_has(args, "at") ? cli_time_us(args, "at") : 0);
    config_destroy(config);
    return code;
}

/* ---- holds ---- */

static int put_hold(const struct cli_args *args, bool held)
{
    struct hold hold = {.held = held};
    struct error error;
    const struct passwd *user = getpwuid(geteuid());
    const char *who = cli_text(args, "who"), *reason = cli_text(args, "reason");
    int code = cli_need(args, "ledger");
    if (code == EXIT_DONE && !reason)
        code = cli_usage(args, "--reason TEXT is needed: it goes into the record");
    if (code != EXIT_DONE)
        return code;
    snprintf(hold.who, sizeof hold.who, "%s", who ? who : user ? user->pw_name : "unknown");
    if (snprintf(hold.reason, sizeof hold.reason, "%s", reason) >= (int)sizeof hold.reason)
        return cli_usage(args, "--reason: at most %zu bytes", sizeof hold.reason - 1);
    struct clock *wall = clock_create_wall();
    hold.at_us = wall ? clock_now_us(wall) : 0;
    clock_destroy(wall);
    enum status status = must_exist(args, &error);
    if (status == STATUS_OK)
        status = hold_put(cli_text(args, "ledger"), &hold, &error);
    return status == STATUS_OK ? EXIT_DONE : cli_fail(args, &error);
}

int command_ledger_hold(const struct cli_args *args)
{
    return put_hold(args, true);
}

int command_ledger_release(const struct cli_args *args)
{
    return put_hold(args, false);
}
