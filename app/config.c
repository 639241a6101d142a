/* Reads binnacle.yaml by tables and hands each room the file or node that is its own. */
#include "app/config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/pace.h"
#include "engine/performance.h"
#include "engine/base/clock.h"
#include "engine/contract/contract.h"
#include "engine/decide/rules.h"
#include "engine/feature/views.h"
#include "engine/reasons.h"

static const struct config_key top_keys[] = {
    {"service", CONFIG_STRING, offsetof(struct config, service), true, 0, 0,
     "what the screens and messages call this service"},
    {"contract", CONFIG_STRING, offsetof(struct config, contract_file), false, 0, 0,
     "the contract's file (contract.yaml)"},
    {"features", CONFIG_STRING, offsetof(struct config, features_file), false, 0, 0,
     "the feature views' file (features.yaml)"},
    {"rules", CONFIG_STRING, offsetof(struct config, rules_file), false, 0, 0,
     "the decision rules' file (rules.yaml)"},
    {"listen", CONFIG_STRING, offsetof(struct config, listen), false, 0, 0,
     "HOST:PORT of the page and the API (127.0.0.1:8420)"},
    {"listen_score", CONFIG_STRING, offsetof(struct config, listen_score), false, 0, 0,
     "a second HOST:PORT for scoring only; the one to send load to (none)"},
    {"link", CONFIG_STRING, offsetof(struct config, link), false, 0, 0,
     "address of the page as people reach it, for messages"},
    {"online_store", CONFIG_STRING, offsetof(struct config, online_store), false, 0, 0,
     "embedded, or redis://HOST:PORT/DB (embedded)"},
    {"staging", CONFIG_BOOL, offsetof(struct config, staging), false, 0, 0,
     "no production: `binnacle drill` may put faults into it (false)"},
    {"max_memory_mb", CONFIG_INT, offsetof(struct config, max_memory_mb), false, 16, 1048576,
     "bound of the windows' memory in MiB (2048)"},
    {"workers", CONFIG_INT, offsetof(struct config, workers), false, 1, 1024,
     "connections of `listen` served at once, live pages apart (160); listen_score serves 4096"},
    {"viewers", CONFIG_INT, offsetof(struct config, viewers), false, 1, 16384,
     "live pages open at once, beside the workers; further ones poll (256)"},
    {"api_rate", CONFIG_INT, offsetof(struct config, api_rate), false, 0, 1000000,
     "requests a second to the API that one address may make, scoring apart; 0: no limit (200)"},
    {"reasons", CONFIG_STRING, offsetof(struct config, reasons), false, 0, 0,
     "N or all: so many reasons of every decision (3, of review and decline only)"},
    {"models", CONFIG_NODE, offsetof(struct config, nodes.models), false, 0, 0,
     "list of {name, version, file}"},
    {"traffic", CONFIG_NODE, offsetof(struct config, nodes.traffic), false, 0, 0,
     "list of {variant, model, version, share}"},
    {"ledger", CONFIG_NODE, offsetof(struct config, nodes.ledger), false, 0, 0,
     "{dir, durability, batch, queue_rows, checkpoint_rows, checkpoint_every, heads, tiers}"},
    {"source", CONFIG_NODE, offsetof(struct config, nodes.source), false, 0, 0,
     "{type: http|demo|file|kafka, ...}"},
    {"kafka", CONFIG_NODE, offsetof(struct config, nodes.kafka), false, 0, 0,
     "brokers, topics and group"},
    {"objectives", CONFIG_NODE, offsetof(struct config, objectives), false, 0, 0,
     "service level objectives"},
    {"alerts", CONFIG_NODE, offsetof(struct config, alerts), false, 0, 0, "alert rules"},
    {"channels", CONFIG_NODE, offsetof(struct config, channels), false, 0, 0, "where alerts go"},
    {"access", CONFIG_NODE, offsetof(struct config, access), false, 0, 0,
     "{token_file, allowed_hosts}"},
    {"views", CONFIG_NODE, offsetof(struct config, own_views_node), false, 0, 0,
     "views of one's own on both screens: list of {name, title, panels: [{title, expression, "
     "kind}]}"},
    {"drift", CONFIG_NODE, offsetof(struct config, drift), false, 0, 0,
     "drift thresholds and reference"},
    {"expectations", CONFIG_NODE, offsetof(struct config, expectations), false, 0, 0,
     "conditions over windows of recent minutes: {name, check, over}; see engine/monitor"},
    {"history", CONFIG_NODE, offsetof(struct config, history), false, 0, 0,
     "{minutes, hours, labels}: how long every minute and hour is kept, told apart by what"},
    {"performance", CONFIG_NODE, offsetof(struct config, performance), false, 0, 0,
     "{keep, period, window, threshold, cost_false_positive, cost_false_negative, amount, cohort, "
     "k, "
     "reference, detector}: how decisions are held against labels"},
    {"train", CONFIG_NODE, offsetof(struct config, train), false, 0, 0,
     "parameters of `binnacle train`"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static const struct config_key model_keys[] = {
    {"name", CONFIG_STRING, offsetof(struct config_model, name), true, 0, 0, "the model's name"},
    {"version", CONFIG_STRING, offsetof(struct config_model, version), true, 0, 0, "its version"},
    {"file", CONFIG_STRING, offsetof(struct config_model, file), true, 0, 0,
     "XGBoost JSON or UBJSON, relative to the folder"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static const struct config_key ledger_keys[] = {
    {"dir", CONFIG_STRING, offsetof(struct config_ledger, dir), false, 0, 0,
     "folder of the day files, relative to the configuration"},
    {"durability", CONFIG_STRING, offsetof(struct config_ledger, durability), false, 0, 0,
     "commit: answered after fsync; batch: at most `batch` may be lost (commit)"},
    {"batch", CONFIG_DURATION, offsetof(struct config_ledger, batch_us), false, 0.001, 60,
     "with durability batch: the most that may be lost (100ms)"},
    {"queue_rows", CONFIG_INT, offsetof(struct config_ledger, queue_rows), false, 1024, 1e7,
     "rows waiting to be committed before callers are refused (65536)"},
    {"checkpoint_rows", CONFIG_INT, offsetof(struct config_ledger, checkpoint_rows), false, 1, 1e12,
     "rows after which windows, ids and counters are saved, so that a start after a crash reads no "
     "more (1000000)"},
    {"checkpoint_every", CONFIG_DURATION, offsetof(struct config_ledger, checkpoint_us), false, 1,
     86400, "... or after so long, when there were any (5m)"},
    {"heads", CONFIG_NODE, offsetof(struct config_ledger, heads_node), false, 0, 0,
     "where signed heads go as well: a file, or {file, topic, webhook, every}"},
    {"tiers", CONFIG_NODE, offsetof(struct config_ledger, tiers), false, 0, 0,
     "{seal_after, raw_events, decisions, sealed, archive, move_after, cache_mb}: what becomes of "
     "days that "
     "are over"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static const struct config_key source_keys[] = {
    {"type", CONFIG_STRING, offsetof(struct config_source, type), true, 0, 0,
     "http, demo, file or kafka"},
    {"path", CONFIG_STRING, offsetof(struct config_source, path), false, 0, 0,
     "file: CSV or JSON lines, also .gz"},
    {"speed", CONFIG_STRING, offsetof(struct config_source, speed), false, 0, 0,
     "file: max, or a factor of the events' own time (max)"},
    {"rate", CONFIG_NUMBER, offsetof(struct config_source, rate), false, 0.001, 1e6,
     "demo: events per second, as a mean over the day (40)"},
    {"steady", CONFIG_BOOL, offsetof(struct config_source, steady), false, 0, 0,
     "demo: the same rate at any hour, else 0.45 to 1.55 times it (false)"},
    {"users", CONFIG_INT, offsetof(struct config_source, users), false, 0, 1e7,
     "demo: how many users there are; 0: as many as suit the rate (0)"},
    {"seed", CONFIG_INT, offsetof(struct config_source, seed), false, 0, 1e15,
     "demo: seed of the producer (1)"},
    {"fraud", CONFIG_NUMBER, offsetof(struct config_source, fraud), false, 0, 1,
     "demo: share of frauds (0.01)"},
    {"bad", CONFIG_NUMBER, offsetof(struct config_source, bad), false, 0, 1,
     "demo: share of events that break the contract (0.003)"},
    {"label_delay", CONFIG_DURATION, offsetof(struct config_source, label_delay_us), false, 0,
     31536000, "demo: when the truth arrives (2m)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

const struct config_section config_sections[] = {
    {"", top_keys, 0},
    {"ledger.", ledger_keys, offsetof(struct config, ledger)},
    {"source.", source_keys, offsetof(struct config, source)},
    {NULL, NULL, 0},
};

static void set_defaults(struct config *config)
{
    config->contract_file = "contract.yaml";
    config->features_file = "features.yaml";
    config->rules_file = "rules.yaml";
    config->listen = "127.0.0.1:8420";
    config->online_store = "embedded";
    config->max_memory_mb = 2048;
    config->workers = 160;
    config->viewers = 256;
    config->api_rate = 200;
    config->ledger = (struct config_ledger){.dir = NULL,
                                            .durability = "commit",
                                            .batch_us = US_PER_S / 10,
                                            .queue_rows = 65536,
                                            .checkpoint_rows = 1000000,
                                            .checkpoint_us = 5 * US_PER_MIN};
    config->ledger.policy = tiers_default();
    config->source = (struct config_source){.type = "http",
                                            .speed = "max",
                                            .rate = 40,
                                            .seed = 1,
                                            .fraud = 0.01,
                                            .bad = 0.003,
                                            .label_delay_us = 2 * US_PER_MIN};
}

char *config_path(const struct config *config, const char *name)
{
    char *path = NULL;
    int size = name[0] == '/' ? asprintf(&path, "%s", name)
                              : asprintf(&path, "%s/%s", config->folder, name);
    return size < 0 ? NULL : path;
}

static enum status read_models(struct config *config, const struct yaml_node *list,
                               struct error *error)
{
    size_t n = list ? yaml_size(list) : 0;
    if (list && (yaml_kind(list) != YAML_LIST || n > MAX_MODELS))
        return yaml_error(list, error, "models is a list of up to %d {name, version, file}",
                          MAX_MODELS);
    for (size_t i = 0; i < n; i++) {
        enum status status = config_read(yaml_item(list, i), model_keys, &config->models[i], error);
        if (status != STATUS_OK)
            return status;
        config->n_models++;
    }
    return STATUS_OK;
}

static int find_model(const struct config *config, const char *name, const char *version, int n)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(config->models[i].name, name) == 0 &&
            strcmp(config->models[i].version, version) == 0)
            return i;
    }
    return -1;
}

static enum status check_models(const struct config *config, struct error *error)
{
    for (int i = 0; i < config->n_models; i++) {
        const struct config_model *model = &config->models[i];
        if (find_model(config, model->name, model->version, i) >= 0)
            return yaml_error(yaml_item(config->nodes.models, (size_t)i), error,
                              "there are two models %s version %s", model->name, model->version);
    }
    return STATUS_OK;
}

static enum status read_arms(struct config *config, const struct yaml_node *list,
                             struct error *error)
{
    if (!list && config->n_models > 0)
        return yaml_error(config->nodes.models, error,
                          "`traffic` must say which of the models is the champion");
    if (!list)
        return STATUS_OK;
    enum status status = traffic_read(list, config->arms, &config->n_arms, error);
    for (size_t i = 0; i < config->n_arms && status == STATUS_OK; i++) {
        const struct traffic_arm *arm = &config->arms[i];
        if (find_model(config, arm->model, arm->version, config->n_models) < 0)
            status = yaml_error(yaml_item(list, i), error, "models has no %s version %s",
                                arm->model, arm->version);
    }
    return status;
}

/* One of the words, which end with NULL. */
static enum status check_word(const struct yaml_node *map, const char *key, const char *word,
                              const char *const *words, struct error *error)
{
    size_t n = 0;
    char list[200] = "";
    for (; words[n]; n++) {
        size_t used = strlen(list);
        if (strcmp(words[n], word) == 0)
            return STATUS_OK;
        snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "", words[n]);
    }
    return yaml_error(yaml_get(map, key), error, "%s: \"%.40s\" is none of %s%s", key, word, list,
                      did_you_mean(nearest_word(word, words, n)).text);
}

static enum status read_ledger(struct config *config, const struct yaml_node *map,
                               struct error *error)
{
    static const char *const words[] = {"commit", "batch", NULL};
    if (!map)
        return STATUS_OK;
    enum status status = config_read(map, ledger_keys, &config->ledger, error);
    if (status == STATUS_OK)
        status = check_word(map, "durability", config->ledger.durability, words, error);
    if (status == STATUS_OK)
        status =
            heads_read(config->ledger.heads_node, config->folder, &config->ledger.heads, error);
    if (status == STATUS_OK)
        status = tiers_read(&config->ledger, config->folder, error);
    return status;
}

static enum status read_source(struct config *config, const struct yaml_node *map,
                               struct error *error)
{
    static const char *const words[] = {"http", "demo", "file", "kafka", NULL};
    struct pace pace;
    if (!map)
        return STATUS_OK;
    enum status status = config_read(map, source_keys, &config->source, error);
    if (status == STATUS_OK)
        status = check_word(map, "type", config->source.type, words, error);
    if (status == STATUS_OK && !pace_parse(config->source.speed, &pace))
        status = yaml_error(yaml_get(map, "speed"), error,
                            "speed: \"%.40s\" is neither max nor a factor above 0",
                            config->source.speed);
    return status;
}

static enum status check_reasons(const struct config *config, const struct yaml_node *root,
                                 struct error *error)
{
    int n;
    if (!config->reasons || reasons_parse(config->reasons, &n))
        return STATUS_OK;
    return yaml_error(yaml_get(root, "reasons"), error,
                      "reasons: \"%.40s\" is neither a number up to %d nor all", config->reasons,
                      MAX_FEATURES);
}

static enum status read_kafka(struct config *config, struct error *error)
{
    const struct yaml_node *map = config->nodes.kafka;
    if (map)
        return kafka_options_read(map, config->folder, &config->kafka, error);
    if (strcmp(config->source.type, "kafka") != 0)
        return STATUS_OK;
    return yaml_error(config->nodes.source, error,
                      "a source of type kafka needs a `kafka` map with its `brokers`");
}

static enum status read_document(struct config *config, struct error *error)
{
    const struct yaml_node *root = yaml_root(config->yaml);
    if (!root)
        return error_set(error, STATUS_INVALID, "%s/binnacle.yaml: is empty; it needs `service`",
                         config->folder);
    enum status status = config_read(root, top_keys, config, error);
    if (status == STATUS_OK)
        status = check_reasons(config, root, error);
    if (status == STATUS_OK)
        status = read_models(config, config->nodes.models, error);
    if (status == STATUS_OK)
        status = check_models(config, error);
    if (status == STATUS_OK)
        status = read_arms(config, config->nodes.traffic, error);
    if (status == STATUS_OK)
        status = read_ledger(config, config->nodes.ledger, error);
    if (status == STATUS_OK)
        status = read_source(config, config->nodes.source, error);
    if (status == STATUS_OK)
        status = read_kafka(config, error);
    if (status == STATUS_OK)
        status = own_views_read(config->own_views_node, &config->own_views, error);
    return status;
}

enum status config_expectations(const struct config *config, struct expectations **expectations,
                                struct error *error)
{
    const struct contract *contract = config->contract;
    size_t n = contract_n_window_checks(contract);
    struct expectation_rule *rules = calloc(n + 1, sizeof *rules);
    if (!rules)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const struct contract_window_check *check = contract_window_check_at(contract, i);
        rules[i] =
            (struct expectation_rule){check->name, check->expression, check->over_us, check->node};
    }
    enum status status = expectations_read(config->expectations, contract_schema(contract), rules,
                                           n, expectations, error);
    free(rules);
    return status;
}

/* They are compiled where they are judged; here only whether they can be. */
static enum status check_expectations(const struct config *config, struct error *error)
{
    struct expectations *expectations;
    enum status status = config_expectations(config, &expectations, error);
    expectations_destroy(expectations);
    return status;
}

static enum status load_parts(struct config *config, struct error *error)
{
    char *contract = config_path(config, config->contract_file);
    char *views = config_path(config, config->features_file);
    char *rules = config_path(config, config->rules_file);
    enum status status = STATUS_MEMORY;
    if (!contract || !views || !rules) {
        error_set(error, STATUS_MEMORY, "out of memory");
        goto out;
    }
    status = contract_load(contract, &config->contract, error);
    if (status != STATUS_OK)
        goto out;
    const struct schema *schema = contract_schema(config->contract);
    status = feature_views_load(views, schema, &config->views, error);
    if (status != STATUS_OK)
        goto out;
    status = rules_load(rules, schema, feature_views_schema(config->views), &config->rules, error);
    if (status == STATUS_OK)
        status = performance_check(config->performance, config->contract, error);
    if (status == STATUS_OK)
        status = check_expectations(config, error);
out:
    free(rules);
    free(views);
    free(contract);
    return status;
}

enum status config_load(const char *folder, struct config **config, struct error *error)
{
    *config = NULL;
    struct config *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    set_defaults(made);
    enum status status = STATUS_MEMORY;
    char *path = NULL;
    made->folder = strdup(folder);
    if (!made->folder || !(path = config_path(made, "binnacle.yaml"))) {
        error_set(error, STATUS_MEMORY, "out of memory");
        goto out;
    }
    status = yaml_load_file(path, &made->yaml, error);
    if (status == STATUS_NOT_FOUND)
        error_set(error, status,
                  "%s: there is no such file; --config wants a folder with a binnacle.yaml", path);
    if (status == STATUS_OK)
        status = read_document(made, error);
    if (status == STATUS_OK)
        status = load_parts(made, error);
out:
    free(path);
    if (status != STATUS_OK) {
        config_destroy(made);
        return status;
    }
    *config = made;
    return STATUS_OK;
}

void config_destroy(struct config *config)
{
    if (!config)
        return;
    free(config->ledger.key_files[0]);
    free(config->ledger.key_files[1]);
    rules_release(config->rules);
    feature_views_destroy(config->views);
    contract_destroy(config->contract);
    yaml_destroy(config->yaml);
    free(config->folder);
    free(config);
}
