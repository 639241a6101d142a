/* `doctor` on the topics: what of them can lose events, and when. */
#include "app/doctor.h"
#include "engine/base/number.h"
#include "engine/event/kafka_topics.h"

#define ASK_TIMEOUT_MS 5000
/* An outage over a weekend is read after it. */
#define SHORT_RETENTION_MS (INT64_C(3) * 24 * 3600 * 1000)
#define HOUR_MS            3600000.0

enum topic_role { INPUT, OUTPUT };

struct look {
    const struct kafka_topic_facts *topic;
    enum topic_role role;
};

/* One thing that may be wrong with a topic: whether it is, and what that means. */
struct danger {
    bool (*is_so)(const struct look *look);
    const char *meaning; /* follows "topic NAME " */
};

static bool has_one_replica(const struct look *look)
{
    return look->topic->replication_factor < 2;
}

static bool is_under_replicated(const struct look *look)
{
    return look->topic->n_under_replicated > 0;
}

static bool leaderless(const struct look *look)
{
    return look->topic->n_leaderless > 0;
}

static bool acknowledges_alone(const struct look *look)
{
    return look->topic->has_settings && look->topic->replication_factor >= 2 &&
           look->topic->min_insync < 2;
}

static bool needs_all(const struct look *look)
{
    return look->topic->has_settings && look->topic->replication_factor >= 2 &&
           look->topic->min_insync >= look->topic->replication_factor;
}

static bool is_compacted(const struct look *look)
{
    return look->role == INPUT && look->topic->compacted;
}

static bool elects_unclean(const struct look *look)
{
    return look->topic->unclean_election;
}

static bool is_bounded(const struct look *look)
{
    return look->role == INPUT && look->topic->retention_bytes >= 0;
}

static const struct danger dangers[] = {
    {leaderless, "has partitions without a leader: they can be neither read nor written"},
    {has_one_replica, "has a replication factor of 1: with its one broker's disk, events are gone"},
    {is_under_replicated,
     "has under-replicated partitions: if their leaders fail, events may be missing"},
    {acknowledges_alone,
     "has min.insync.replicas 1: an acknowledged event may be on one broker only"},
    {needs_all,
     "has min.insync.replicas equal to its replication factor: any broker's absence stops it"},
    {elects_unclean,
     "has unclean.leader.election.enable: after an outage acknowledged events may be missing"},
    {is_compacted, "has cleanup.policy compact: of events with the same key only the last is kept"},
    {is_bounded, "has retention.bytes: a burst shortens how long events wait to be read"},
};

static void look_at_retention(struct diagnosis *diagnosis, const struct look *look)
{
    const struct kafka_topic_facts *topic = look->topic;
    if (look->role != INPUT || !topic->has_settings || topic->retention_ms < 0 ||
        topic->retention_ms >= SHORT_RETENTION_MS)
        return;
    doctor_say(diagnosis, UNSAFE, "kafka",
               "topic %s has a retention of %.4g h: what is not read within that time is deleted",
               topic->name, (double)topic->retention_ms / HOUR_MS);
}

static void look_at_topic(struct diagnosis *diagnosis, const struct look *look)
{
    const struct kafka_topic_facts *topic = look->topic;
    if (!topic->exists) {
        doctor_say(diagnosis, WRONG, "kafka", "topic %s does not exist%s", topic->name,
                   look->role == INPUT ? ": there is nothing to read"
                                       : ": the source stops until it can be written to");
        return;
    }
    doctor_say(
        diagnosis, FINE, "kafka", "topic %s: %d %s, replication factor %d%s", topic->name,
        topic->n_partitions, number_noun((uint64_t)topic->n_partitions, "partition", "partitions"),
        topic->replication_factor, topic->has_settings ? "" : "; its settings are not told to us");
    for (size_t i = 0; i < sizeof dangers / sizeof dangers[0]; i++) {
        if (dangers[i].is_so(look))
            doctor_say(diagnosis, UNSAFE, "kafka", "topic %s %s", topic->name, dangers[i].meaning);
    }
    look_at_retention(diagnosis, look);
}

void doctor_kafka(struct diagnosis *diagnosis)
{
    const char *brokers = cli_text(doctor_args(diagnosis), "kafka");
    const struct config *config = doctor_config(diagnosis);
    struct kafka_options options;
    struct kafka_cluster_facts cluster;
    struct kafka_topic_facts topics[4];
    struct error error;
    int n = 0;
    kafka_options_init(&options);
    if (config && config->kafka.brokers)
        options = config->kafka;
    if (brokers)
        options.brokers = brokers;
    if (!options.brokers)
        return;
    topics[n++].name = options.topic;
    if (options.decisions_topic[0])
        topics[n++].name = options.decisions_topic;
    if (options.dead_letter_topic[0])
        topics[n++].name = options.dead_letter_topic;
    if (config && config->ledger.heads.topic)
        topics[n++].name = config->ledger.heads.topic;
    if (kafka_topics_look(&options, NULL, ASK_TIMEOUT_MS, &cluster, topics, n, &error) !=
        STATUS_OK) {
        doctor_say(diagnosis, WRONG, "kafka", "%s: %s", options.brokers, error.message);
        return;
    }
    doctor_say(diagnosis, cluster.n_brokers < 2 ? UNSAFE : FINE, "kafka", "%s: %d broker%s%s",
               options.brokers, cluster.n_brokers, cluster.n_brokers == 1 ? "" : "s",
               cluster.n_brokers < 2 ? ": while it is away, nothing is read" : "");
    for (int i = 0; i < n; i++)
        look_at_topic(diagnosis, &(struct look){&topics[i], i == 0 ? INPUT : OUTPUT});
}
