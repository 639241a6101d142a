/* A configuration folder, read whole and checked before anything starts. */
#ifndef BINNACLE_APP_CONFIG_H
#define BINNACLE_APP_CONFIG_H

#include <stdint.h>

#include "app/heads.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/event/kafka.h"
#include "engine/monitor/expect.h"
#include "engine/record/keeper.h"
#include "engine/traffic/traffic.h"
#include "ui/view/own.h"

#define MAX_MODELS 16

struct config_model {
    const char *name;
    const char *version;
    const char *file; /* relative to the folder */
};

struct config_source {
    const char *type;  /* "http", "demo", "file", "kafka" */
    const char *path;  /* file: the input */
    const char *speed; /* file: "max" or a factor */
    double rate;       /* demo: events per second */
    bool steady;       /* demo: at any hour */
    int64_t seed;
    int64_t users;
    double fraud;
    double bad;
    int64_t label_delay_us;
};

struct config_ledger {
    const char *dir;
    const char *durability; /* "commit", "batch" */
    int64_t batch_us;
    int64_t queue_rows;
    int64_t checkpoint_rows, checkpoint_us;
    const struct yaml_node *heads_node; /* read into: */
    struct heads_config heads;
    const struct yaml_node *tiers;
    struct tier_policy policy;
    char *key_files[2]; /* of the archive, absolute; NULL: from the environment */
};

/* Strings are borrowed from the document; parts are owned by the configuration. */
struct config {
    char *folder;
    struct yaml *yaml;
    const char *service;
    const char *contract_file, *features_file, *rules_file;
    const char *listen, *listen_score;
    const char *online_store;
    const char *link; /* where people find the page, for messages */
    bool staging;     /* drills may be held here */
    int64_t max_memory_mb;
    int64_t workers;
    int64_t viewers;
    int64_t api_rate;
    const char *reasons; /* N or "all": of every decision; NULL: 3, of review and decline */
    struct {
        const struct yaml_node *models, *traffic, *ledger, *source, *kafka; /* read into fields */
    } nodes;
    const struct yaml_node *performance; /* read by its owner */
    struct config_ledger ledger;
    struct config_source source;
    struct config_model models[MAX_MODELS];
    int n_models;
    struct traffic_arm arms[TRAFFIC_MAX_ARMS]; /* each names one of the models; no handles */
    size_t n_arms;
    struct kafka_options kafka; /* brokers NULL: not configured */
    struct own_views own_views;
    const struct yaml_node *own_views_node; /* read into own_views */
    const struct yaml_node *objectives, *alerts, *channels, *access, *drift, *history;
    const struct yaml_node *expectations, *train;
    struct contract *contract;
    struct feature_views *views;
    struct rules *rules;
};

/* The tables of keys whose values this structure holds, for those who show them: where in the
 * document they stand ("" for its top), and where in the structure. */
struct config_section {
    const char *prefix; /* "ledger."; NULL ends the table */
    const struct config_key *keys;
    size_t offset;
};
extern const struct config_section config_sections[];

/* Reads DIR/binnacle.yaml and the files it names, not yet the models. The error says which file,
 * line and column. */
MUST_USE enum status config_load(const char *folder, struct config **config, struct error *error);
void config_destroy(struct config *config);
/* What is expected of windows of events: `expectations:` and the contract's checks over windows;
 * NULL: nothing. expectations_destroy() it; the configuration outlives it. */
MUST_USE enum status config_expectations(const struct config *config,
                                         struct expectations **expectations, struct error *error);

/* The policy where the configuration says nothing of `ledger: {tiers: ...}`. */
struct tier_policy tiers_default(void);
/* Reads that map over what ledger->policy holds; key files are looked for in `folder`. */
MUST_USE enum status tiers_read(struct config_ledger *ledger, const char *folder,
                                struct error *error);

/* "FOLDER/NAME", or NAME alone when it is absolute; the caller frees it. NULL: out of memory. */
char *config_path(const struct config *config, const char *name);

#endif
