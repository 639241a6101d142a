/* One metadata request for how topics are spread, one DescribeConfigs for what they are set to. */
#include "engine/event/kafka_topics.h"

#include <stdlib.h>
#include <string.h>

#include "engine/event/kafka_priv.h"

/* ---- spread ---- */

static void read_partition(const rd_kafka_metadata_partition_t *partition,
                           struct kafka_topic_facts *topic)
{
    if (partition->replica_cnt < topic->replication_factor || topic->replication_factor == 0)
        topic->replication_factor = partition->replica_cnt;
    topic->n_under_replicated += partition->isr_cnt < partition->replica_cnt;
    topic->n_leaderless += partition->leader < 0;
}

static void read_topic(const rd_kafka_metadata_t *metadata, struct kafka_topic_facts *topic)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *found = &metadata->topics[i];
        if (strcmp(found->topic, topic->name) != 0 || found->err || found->partition_cnt == 0)
            continue;
        topic->exists = true;
        topic->n_partitions = found->partition_cnt;
        for (int k = 0; k < found->partition_cnt; k++)
            read_partition(&found->partitions[k], topic);
    }
}

/* Asks for all topics: to ask for one that is missing might make it. */
static enum status look_at_spread(rd_kafka_t *handle, int timeout_ms,
                                  struct kafka_cluster_facts *cluster,
                                  struct kafka_topic_facts *topics, int n_topics,
                                  struct error *error)
{
    const rd_kafka_metadata_t *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 1, NULL, &metadata, timeout_ms);
    if (code)
        return kafka_code_failed(code, "no broker answers", error);
    cluster->n_brokers = metadata->broker_cnt;
    for (int i = 0; i < n_topics; i++)
        read_topic(metadata, &topics[i]);
    rd_kafka_metadata_destroy(metadata);
    return STATUS_OK;
}

/* ---- settings ---- */

static void read_setting(const char *name, const char *value, struct kafka_topic_facts *topic)
{
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {
        {"retention.ms", &topic->retention_ms},
        {"retention.bytes", &topic->retention_bytes},
        {"min.insync.replicas", &topic->min_insync},
    };
    if (!value)
        return;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i].name) == 0)
            *numbers[i].number = strtoll(value, NULL, 10);
    }
    if (strcmp(name, "cleanup.policy") == 0)
        topic->compacted = strstr(value, "compact") != NULL;
    if (strcmp(name, "unclean.leader.election.enable") == 0)
        topic->unclean_election = strcmp(value, "true") == 0;
}

static void read_settings(const rd_kafka_ConfigResource_t *resource,
                          struct kafka_topic_facts *topics, int n_topics)
{
    size_t n;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
    if (rd_kafka_ConfigResource_error(resource))
        return;
    for (int t = 0; t < n_topics; t++) {
        if (strcmp(topics[t].name, rd_kafka_ConfigResource_name(resource)) != 0)
            continue;
        topics[t].has_settings = true;
        for (size_t i = 0; i < n; i++)
            read_setting(rd_kafka_ConfigEntry_name(entries[i]),
                         rd_kafka_ConfigEntry_value(entries[i]), &topics[t]);
    }
}

static void read_answer(rd_kafka_queue_t *queue, int timeout_ms, struct kafka_topic_facts *topics,
                        int n_topics)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    const rd_kafka_DescribeConfigs_result_t *result =
        event && !rd_kafka_event_error(event) ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    size_t n = 0;
    const rd_kafka_ConfigResource_t **resources =
        result ? rd_kafka_DescribeConfigs_result_resources(result, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        read_settings(resources[i], topics, n_topics);
    if (event)
        rd_kafka_event_destroy(event);
}

/* One request per topic, as not every one may be described to us. */
static void look_at_settings(rd_kafka_t *handle, int timeout_ms, struct kafka_topic_facts *topics,
                             int n_topics)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_AdminOptions_t *patience =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    char why[128];
    rd_kafka_AdminOptions_set_request_timeout(patience, timeout_ms, why, sizeof why);
    for (int i = 0; i < n_topics; i++) {
        if (!topics[i].exists)
            continue;
        rd_kafka_ConfigResource_t *resource =
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
        rd_kafka_DescribeConfigs(handle, &resource, 1, patience, queue);
        rd_kafka_ConfigResource_destroy(resource);
        read_answer(queue, timeout_ms, topics, n_topics);
    }
    rd_kafka_AdminOptions_destroy(patience);
    rd_kafka_queue_destroy(queue);
}

enum status kafka_topics_look(const struct kafka_options *options, struct log *log, int timeout_ms,
                              struct kafka_cluster_facts *cluster, struct kafka_topic_facts *topics,
                              int n_topics, struct error *error)
{
    struct kafka_client client = {log};
    rd_kafka_t *handle = NULL;
    *cluster = (struct kafka_cluster_facts){0};
    for (int i = 0; i < n_topics; i++)
        topics[i] = (struct kafka_topic_facts){
            .name = topics[i].name, .retention_ms = -1, .retention_bytes = -1, .min_insync = 1};
    rd_kafka_conf_t *conf;
    enum status status = kafka_conf(options, NULL, &client, &conf, error);
    if (status != STATUS_OK)
        return status;
    status = kafka_new(RD_KAFKA_PRODUCER, conf, &handle, error);
    if (status != STATUS_OK)
        return status;
    status = look_at_spread(handle, timeout_ms, cluster, topics, n_topics, error);
    if (status == STATUS_OK)
        look_at_settings(handle, timeout_ms, topics, n_topics);
    rd_kafka_destroy(handle);
    return status;
}
