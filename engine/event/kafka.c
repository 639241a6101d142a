/* Reads the connection's part of the configuration and turns it into librdkafka's. Called while
 * starting, from one thread; the log callback comes from librdkafka's threads. */
#include "engine/event/kafka.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/secret.h"
#include "engine/event/kafka_priv.h"

#define MAX_SETTING_NAMES 512

static const struct config_key keys[] = {
    {"brokers", CONFIG_STRING, offsetof(struct kafka_options, brokers), true, 0, 0,
     "HOST:PORT of some brokers, comma-separated"},
    {"topic", CONFIG_STRING, offsetof(struct kafka_options, topic), false, 0, 0,
     "where events come from (transactions)"},
    {"group", CONFIG_STRING, offsetof(struct kafka_options, group), false, 0, 0,
     "consumer group (binnacle)"},
    {"decisions_topic", CONFIG_STRING, offsetof(struct kafka_options, decisions_topic), false, 0, 0,
     "where decisions go; \"\": nowhere (decisions)"},
    {"dead_letter_topic", CONFIG_STRING, offsetof(struct kafka_options, dead_letter_topic), false,
     0, 0, "where quarantined events go as they came; \"\": nowhere (transactions.dead-letter)"},
    {"client_id", CONFIG_STRING, offsetof(struct kafka_options, client_id), false, 0, 0,
     "what the brokers' logs call us (binnacle)"},
    {"static_member", CONFIG_BOOL, offsetof(struct kafka_options, static_member), false, 0, 0,
     "keep our partitions over a restart, for up to session.timeout.ms (true)"},
    {"password_file", CONFIG_STRING, offsetof(struct kafka_options, password_file), false, 0, 0,
     "file of mode 0600 whose first line is sasl.password"},
    {"settings", CONFIG_NODE, offsetof(struct kafka_options, settings), false, 0, 0,
     "map of librdkafka settings, such as security.protocol"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

/* What the promise of exactly once rests on is not for the configuration to change. */
static const char *const ours[] = {
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "group.instance.id",
    "transactional.id",
    "enable.auto.commit",
    "enable.idempotence",
    "isolation.level",
    "auto.offset.reset",
    "enable.auto.offset.store",
    "acks",
    "request.required.acks",
    "client.id",
    "partition.assignment.strategy",
};

void kafka_options_init(struct kafka_options *options)
{
    *options = (struct kafka_options){
        .topic = "transactions",
        .group = "binnacle",
        .decisions_topic = "decisions",
        .dead_letter_topic = "transactions.dead-letter",
        .client_id = "binnacle",
        .static_member = true,
    };
}

/* ---- settings passed on ---- */

/* The name in librdkafka's own list that comes nearest. */
static enum status unknown_setting(const struct yaml_node *key, struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t n = 0;
    const char **dump = conf ? rd_kafka_conf_dump(conf, &n) : NULL;
    const char *names[MAX_SETTING_NAMES];
    size_t n_names = 0;
    for (size_t i = 0; dump && i < n && n_names < MAX_SETTING_NAMES; i += 2)
        names[n_names++] = dump[i];
    const char *nearest = nearest_word(yaml_text(key), names, n_names);
    yaml_error(key, error, "librdkafka has no setting \"%s\"%s", yaml_text(key),
               did_you_mean(nearest).text);
    if (dump)
        rd_kafka_conf_dump_free(dump, n);
    if (conf)
        rd_kafka_conf_destroy(conf);
    return STATUS_INVALID;
}

static enum status apply_setting(rd_kafka_conf_t *conf, const struct yaml_node *map, size_t i,
                                 struct error *error)
{
    const struct yaml_node *key = yaml_key_node(map, i);
    const struct yaml_node *value = yaml_item(map, i);
    const char *name = yaml_key(map, i);
    char why[256];
    for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++) {
        if (strcmp(name, ours[k]) == 0)
            return yaml_error(key, error, "\"%s\" is set by binnacle itself", name);
    }
    if (yaml_kind(value) != YAML_SCALAR)
        return yaml_error(value, error, "\"%s\" takes one value", name);
    switch (rd_kafka_conf_set(conf, name, yaml_text(value), why, sizeof why)) {
    case RD_KAFKA_CONF_OK:
        return STATUS_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return unknown_setting(key, error);
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return yaml_error(value, error, "%s", why);
}

static enum status apply_settings(rd_kafka_conf_t *conf, const struct kafka_options *options,
                                  struct error *error)
{
    const struct yaml_node *map = options->settings;
    if (map && yaml_kind(map) != YAML_MAP)
        return yaml_error(map, error, "settings is a map of librdkafka settings");
    enum status status = STATUS_OK;
    for (size_t i = 0; map && i < yaml_size(map) && status == STATUS_OK; i++)
        status = apply_setting(conf, map, i, error);
    return status;
}

/* ---- reading ---- */

static enum status read_password(const struct yaml_node *map, const char *folder,
                                 struct kafka_options *options, struct error *error)
{
    struct error cause;
    if (!options->password_file)
        return STATUS_OK;
    enum status status = secret_read(folder, options->password_file, true, options->password,
                                     sizeof options->password, &cause);
    if (status == STATUS_OK)
        return STATUS_OK;
    return yaml_error(yaml_get(map, "password_file"), error, "password_file: %s", cause.message);
}

enum status kafka_options_read(const struct yaml_node *map, const char *folder,
                               struct kafka_options *options, struct error *error)
{
    kafka_options_init(options);
    enum status status = config_read(map, keys, options, error);
    if (status == STATUS_OK)
        status = read_password(map, folder, options, error);
    if (status != STATUS_OK)
        return status;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!conf)
        return error_set(error, STATUS_MEMORY, "out of memory");
    status = apply_settings(conf, options, error);
    rd_kafka_conf_destroy(conf);
    return status;
}

enum status kafka_address(const char *text, char *brokers, size_t size, const char **topic,
                          struct error *error)
{
    static const char scheme[] = "kafka://";
    const char *start =
        strncmp(text, scheme, sizeof scheme - 1) == 0 ? text + sizeof scheme - 1 : "";
    const char *slash = strchr(start, '/');
    size_t length = slash ? (size_t)(slash - start) : 0;
    if (length == 0 || length >= size || !slash[1] || strchr(slash + 1, '/'))
        return error_set(error, STATUS_INVALID, "'%s' is not kafka://HOST:PORT/TOPIC", text);
    memcpy(brokers, start, length);
    brokers[length] = '\0';
    *topic = slash + 1;
    return STATUS_OK;
}

/* ---- librdkafka ---- */

static void forward_log(const rd_kafka_t *handle, int level, const char *facility,
                        const char *message)
{
    const struct kafka_client *client = rd_kafka_opaque(handle);
    enum log_level ours_is = level <= 3 ? LOG_ERROR : level <= 4 ? LOG_WARN : LOG_DEBUG;
    log_write(client ? client->log : NULL, ours_is, "kafka", "client", "%s: %s", facility, message);
}

static void forward_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    (void)handle;
    const struct kafka_client *client = opaque;
    log_write(client ? client->log : NULL, LOG_WARN, "kafka", "trouble", "%s: %s",
              rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static enum status set(rd_kafka_conf_t *conf, const struct kafka_setting *settings,
                       struct error *error)
{
    char why[256];
    for (; settings && settings->name; settings++) {
        if (settings->value && rd_kafka_conf_set(conf, settings->name, settings->value, why,
                                                 sizeof why) != RD_KAFKA_CONF_OK)
            return error_set(error, STATUS_INVALID, "kafka: %s", why);
    }
    return STATUS_OK;
}

enum status kafka_conf(const struct kafka_options *options, const struct kafka_setting *settings,
                       struct kafka_client *client, rd_kafka_conf_t **conf, struct error *error)
{
    const struct kafka_setting connection[] = {
        {"bootstrap.servers", options->brokers},
        {"client.id", options->client_id},
        /* A broker that restarts is found again within a second, not after ten. */
        {"reconnect.backoff.max.ms", "1000"},
        /* One line per trouble is enough: brokers close idle connections by themselves. */
        {"log.connection.close", "false"},
        {NULL, NULL},
    };
    const struct kafka_setting password[] = {
        {"sasl.password", options->password[0] ? options->password : NULL},
        {NULL, NULL},
    };
    *conf = NULL;
    rd_kafka_conf_t *made = rd_kafka_conf_new();
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    rd_kafka_conf_set_opaque(made, client);
    rd_kafka_conf_set_log_cb(made, forward_log);
    rd_kafka_conf_set_error_cb(made, forward_error);
    enum status status = set(made, connection, error);
    if (status == STATUS_OK)
        status = set(made, settings, error);
    if (status == STATUS_OK)
        status = apply_settings(made, options, error);
    if (status == STATUS_OK)
        status = set(made, password, error);
    if (status != STATUS_OK) {
        rd_kafka_conf_destroy(made);
        return status;
    }
    *conf = made;
    return STATUS_OK;
}

enum status kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **handle,
                      struct error *error)
{
    char why[256];
    *handle = rd_kafka_new(type, conf, why, sizeof why);
    if (*handle)
        return STATUS_OK;
    rd_kafka_conf_destroy(conf);
    return error_set(error, STATUS_INVALID, "kafka: %s", why);
}

enum status kafka_failed(rd_kafka_error_t *failure, const char *doing, struct error *error)
{
    if (!failure)
        return STATUS_OK;
    error_set(error, STATUS_UNAVAILABLE, "kafka: %s: %s", doing, rd_kafka_error_string(failure));
    error->retriable = rd_kafka_error_is_retriable(failure) != 0;
    rd_kafka_error_destroy(failure);
    return STATUS_UNAVAILABLE;
}

enum status kafka_code_failed(rd_kafka_resp_err_t code, const char *doing, struct error *error)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return STATUS_OK;
    return error_set(error, STATUS_UNAVAILABLE, "kafka: %s: %s", doing, rd_kafka_err2str(code));
}
