/* `doctor`: looks at what a service stands on and says what is unsafe, one line a finding. */
#include "app/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/alerting.h"
#include "app/commands.h"
#include "engine/base/crypto.h"
#include "engine/base/json.h"
#include "engine/base/number.h"
#include "engine/contract/contract.h"
#include "engine/decide/rules.h"
#include "engine/feature/views.h"
#include "engine/model/model.h"
#include "engine/monitor/slo.h"
#include "engine/record/day_list.h"
#include "engine/record/reader.h"
#include "engine/record/retention.h"
#include "engine/record/verify.h"

#define LOW_DISK_BYTES (INT64_C(2) << 30)

struct diagnosis {
    const struct cli_args *args;
    struct config *config; /* NULL: none given, or it could not be read */
    struct buffer out;
    struct json_writer json;
    bool as_json;
    int unsafe, wrong;
};

/* `check` is how a model compared with libxgboost, NULL for all else. */
static void say(struct diagnosis *diagnosis, enum finding verdict, const char *about,
                const char *check, const char *text)
{
    static const char *const words[] = {"ok", "unsafe", "wrong"};
    static const char *const marks[] = {"●", "◆", "▲"};
    diagnosis->unsafe += verdict == UNSAFE;
    diagnosis->wrong += verdict == WRONG;
    if (!diagnosis->as_json) {
        printf("%s %-7s %-14s %s\n", marks[verdict], words[verdict], about, text);
        return;
    }
    json_object(&diagnosis->json, NULL);
    json_text(&diagnosis->json, "about", about);
    json_text(&diagnosis->json, "verdict", words[verdict]);
    if (check)
        json_text(&diagnosis->json, "check", check);
    json_text(&diagnosis->json, "text", text);
    json_object_end(&diagnosis->json);
}

void doctor_say(struct diagnosis *diagnosis, enum finding verdict, const char *about,
                const char *format, ...)
{
    char text[600];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    say(diagnosis, verdict, about, NULL, text);
}

const struct cli_args *doctor_args(const struct diagnosis *diagnosis)
{
    return diagnosis->args;
}

const struct config *doctor_config(const struct diagnosis *diagnosis)
{
    return diagnosis->config;
}

static void look_at_machine(struct diagnosis *diagnosis)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    doctor_say(diagnosis, FINE, "machine", "%ld %s, %lld MiB of memory", cores,
               number_noun((uint64_t)cores, "core", "cores"), (long long)(bytes >> 20));
}

static void look_at_configuration(struct diagnosis *diagnosis)
{
    const char *folder = cli_text(diagnosis->args, "config");
    struct error error;
    if (!folder)
        return;
    if (config_load(folder, &diagnosis->config, &error) != STATUS_OK) {
        doctor_say(diagnosis, WRONG, "configuration", "%s", error.message);
        return;
    }
    const struct schema *schema = contract_schema(diagnosis->config->contract);
    size_t n_features = feature_views_schema(diagnosis->config->views)->n_features;
    size_t n_rules = rules_count(diagnosis->config->rules);
    doctor_say(diagnosis, FINE, "configuration", "%s: contract %s version %s, %zu %s, %zu %s",
               folder, schema->name, schema->version, n_features,
               number_noun(n_features, "feature", "features"), n_rules,
               number_noun(n_rules, "rule", "rules"));
    bool personal = false;
    for (size_t i = 0; i < schema->n_fields; i++)
        personal = personal || schema->fields[i].pii;
    if (!personal)
        doctor_say(diagnosis, UNSAFE, "contract",
                   "no field is marked pii: personal data would enter the ledger in clear");
}

/* As a service does when it starts, which it would not with what is found here. */
static void look_at_alerts(struct diagnosis *diagnosis)
{
    struct alerting alerting;
    struct slo_set objectives;
    struct error error;
    const struct config *config = diagnosis->config;
    if (!config)
        return;
    if (slo_read(config->objectives, &objectives, &error) != STATUS_OK) {
        doctor_say(diagnosis, WRONG, "objectives", "%s", error.message);
        return;
    }
    alerting_fill(&alerting, config, &objectives);
    if (alerts_check(&alerting.options, &error) != STATUS_OK)
        doctor_say(diagnosis, WRONG, "alerts", "%s", error.message);
}

static void look_at_model(struct diagnosis *diagnosis, const struct model *model)
{
    bool unchecked = model_check(model) == MODEL_UNCHECKED;
    char text[700];
    snprintf(
        text, sizeof text, "%s version %s: %zu %s, %zu %s, scored by %s, explained by %s; %s%s",
        model_name(model), model_version(model), model_n_trees(model),
        number_noun(model_n_trees(model), "tree", "trees"), model_n_features(model),
        number_noun(model_n_features(model), "feature", "features"), model_kernel(model),
        model_explainer(model), model_check_text(model),
        unchecked ? ": compare `binnacle predict` with what trained it before it decides" : "");
    say(diagnosis, unchecked ? UNSAFE : FINE, "model", model_check_word(model), text);
}

static void look_at_models(struct diagnosis *diagnosis)
{
    const struct config *config = diagnosis->config;
    for (int i = 0; config && i < config->n_models; i++) {
        struct model *model = NULL;
        struct error error;
        char *path = config_path(config, config->models[i].file);
        if (!path || model_load(path, config->models[i].name, config->models[i].version, &model,
                                &error) != STATUS_OK)
            doctor_say(diagnosis, WRONG, "model", "%s version %s: %s", config->models[i].name,
                       config->models[i].version, path ? error.message : "out of memory");
        else
            look_at_model(diagnosis, model);
        model_release(model);
        free(path);
    }
}

static void look_at_disk(struct diagnosis *diagnosis, const char *folder)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0)
        return;
    int64_t free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
    bool low = free_bytes < LOW_DISK_BYTES;
    doctor_say(diagnosis, low ? UNSAFE : FINE, "disk", "%lld MiB free under %s%s",
               (long long)(free_bytes >> 20), folder,
               low ? ": when it is full, nothing can be decided" : "");
}

/* Without them no row can be added, nobody found by name, and nothing in quarantine opened. */
static bool look_at_keys(struct diagnosis *diagnosis, const char *folder)
{
    static const char *const names[] = {"pseudonym.key", "master.key"};
    bool there = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[4096];
        uint8_t key[KEY_SIZE];
        struct error error;
        snprintf(path, sizeof path, "%s/keys/%s", folder, names[i]);
        if (crypto_key_file(path, false, key, &error) != STATUS_OK) {
            doctor_say(diagnosis, WRONG, "ledger", "%s: put it back from a backup", error.message);
            there = false;
        }
        explicit_bzero(key, sizeof key);
    }
    return there;
}

static void look_at_tiers(struct diagnosis *diagnosis, const char *folder)
{
    struct tier_day *days = NULL;
    struct hold hold = {.held = false};
    struct error error;
    size_t n = 0, by_tier[TIER_COUNT] = {0};
    enum status status = ledger_days(folder, &days, &n, &error);
    for (size_t i = 0; i < n; i++)
        by_tier[days[i].tier]++;
    free(days);
    if (status == STATUS_OK)
        status = hold_read(folder, &hold, &error);
    if (status != STATUS_OK)
        doctor_say(diagnosis, WRONG, "tiers", "%s", error.message);
    else
        doctor_say(diagnosis, FINE, "tiers",
                   "%zu days: %zu live, %zu sealed, %zu compressed, %zu archived, %zu deleted%s%s",
                   n, by_tier[TIER_LIVE], by_tier[TIER_SEALED], by_tier[TIER_COMPRESSED],
                   by_tier[TIER_ARCHIVED], by_tier[TIER_DELETED],
                   hold.held ? "; nothing is deleted, on hold: " : "",
                   hold.held ? hold.reason : "");
}

static void look_at_ledger(struct diagnosis *diagnosis)
{
    const char *folder = cli_text(diagnosis->args, "ledger");
    struct reader *reader = NULL;
    struct error error;
    uint64_t size;
    uint8_t root[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    if (!folder)
        return;
    enum status status = reader_open(folder, &reader, &error);
    if (status == STATUS_OK)
        status = reader_head(reader, &size, root, &error);
    if (status == STATUS_OK)
        status = ledger_check_files(folder, &error);
    if (status != STATUS_OK)
        doctor_say(diagnosis, WRONG, "ledger", "%s", error.message);
    else if (look_at_keys(diagnosis, folder))
        doctor_say(diagnosis, FINE, "ledger", "%llu %s, root %s", (unsigned long long)size,
                   number_noun(size, "row", "rows"), hex_encode(root, sizeof root, text));
    reader_close(reader);
    if (status == STATUS_OK)
        look_at_tiers(diagnosis, folder);
    look_at_disk(diagnosis, folder);
}

/* Who holds the key could sign another past: a head that is kept elsewhere tells. */
static void look_at_heads(struct diagnosis *diagnosis)
{
    const struct config *config = diagnosis->config;
    if (!config || !config->ledger.dir)
        return;
    const struct heads_config *heads = &config->ledger.heads;
    if (!heads->file && !heads->topic && !heads->has_webhook)
        doctor_say(diagnosis, FINE, "ledger",
                   "signed heads stay in its folder; `ledger: heads:` keeps them elsewhere, too");
    if (heads->topic)
        doctor_say(diagnosis, FINE, "ledger", "signed heads go to topic %s", heads->topic);
    if (heads->has_webhook)
        doctor_say(diagnosis, FINE, "ledger", "signed heads go to a webhook, %s",
                   heads->webhook.is_signed ? "signed" : "without a secret");
    if (!heads->file)
        return;
    char *path = config_path(config, heads->file);
    if (path && access(path, F_OK) == 0 && access(path, W_OK) != 0)
        doctor_say(diagnosis, WRONG, "ledger", "signed heads cannot be appended to %s", path);
    else if (path)
        doctor_say(diagnosis, FINE, "ledger", "signed heads are appended to %s", path);
    free(path);
}

static void (*const looks[])(struct diagnosis *diagnosis) = {
    look_at_machine, look_at_configuration, look_at_alerts, look_at_models,
    look_at_ledger,  doctor_folder,         look_at_heads,  doctor_kafka,
};

int command_doctor(const struct cli_args *args)
{
    struct diagnosis diagnosis = {.args = args, .as_json = cli_flag(args, "json")};
    buffer_init(&diagnosis.out, 16u << 20);
    json_begin(&diagnosis.json, &diagnosis.out);
    json_object(&diagnosis.json, NULL);
    json_array(&diagnosis.json, "findings");
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        looks[i](&diagnosis);
    json_array_end(&diagnosis.json);
    json_bool(&diagnosis.json, "ok", diagnosis.unsafe + diagnosis.wrong == 0);
    json_object_end(&diagnosis.json);
    if (diagnosis.as_json)
        printf(SLICE_FORMAT "\n", SLICE_ARGS(buffer_slice(&diagnosis.out)));
    buffer_free(&diagnosis.out);
    config_destroy(diagnosis.config);
    return diagnosis.unsafe + diagnosis.wrong == 0 ? EXIT_DONE : EXIT_FINDING;
}
