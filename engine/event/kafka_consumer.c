/* A group member that assigns itself where the ledger ends. Everything happens on the caller's
 * thread: librdkafka fetches in the background, and calls us back from within consumer_poll. */
#include "engine/event/kafka_consumer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/number.h"
#include "engine/event/kafka_consumer_priv.h"

#define MAX_TAKE        1024
#define ASK_TIMEOUT_MS  10000
#define QUEUE_KB        "16384"    /* fetched ahead, all partitions together */
#define TAKE_BYTES      (4u << 20) /* a batch with more than that is not filled up */
#define LAST_OF(offset) ((offset)-1)

struct kafka_consumer {
    struct kafka_client client; /* first: the handle's opaque */
    struct kafka_consumer_options options;
    rd_kafka_t *handle;
    struct kafka_partition *partitions;
    size_t n_partitions;
    int64_t *next; /* of each partition, the lowest offset that may come */
    size_t last;   /* partition of the last message: most come in runs */
    bool rebalanced;
    enum status trouble; /* found in a callback, returned by the next take */
    struct error why;
    rd_kafka_message_t *messages[MAX_TAKE];
    size_t n_messages;
    bool held; /* one message waits for the next take */
    bool paused;
};

rd_kafka_t *kafka_consumer_handle(struct kafka_consumer *consumer)
{
    return consumer->handle;
}

const char *kafka_consumer_topic(const struct kafka_consumer *consumer)
{
    return consumer->options.kafka->topic;
}

const char *kafka_consumer_ledger(const struct kafka_consumer *consumer)
{
    return consumer->options.ledger;
}

static void release_messages(struct kafka_consumer *consumer)
{
    for (size_t i = 0; i < consumer->n_messages; i++)
        rd_kafka_message_destroy(consumer->messages[i]);
    consumer->n_messages = 0;
}

/* ---- partitions come and go ---- */

static void complain(struct kafka_consumer *consumer, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void complain(struct kafka_consumer *consumer, enum status status, const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (consumer->trouble == STATUS_OK)
        consumer->trouble = error_set(&consumer->why, status, "%s", text);
}

static bool same_ledger(const struct kafka_consumer *consumer,
                        const rd_kafka_topic_partition_t *place)
{
    const char *ledger = consumer->options.ledger;
    return place->metadata_size == strlen(ledger) &&
           memcmp(place->metadata, ledger, place->metadata_size) == 0;
}

/* Whether the group's offset and this ledger can both be right. */
static void compare(struct kafka_consumer *consumer, const rd_kafka_topic_partition_t *place,
                    const struct kafka_partition *partition)
{
    if (partition->sent <= partition->recorded)
        return;
    if (same_ledger(consumer, place))
        complain(consumer, STATUS_CONFLICT,
                 "kafka: group %s has decided %s/%d up to offset %lld out of this very ledger, "
                 "which ends at %lld: rows are missing. Restore the ledger, or, to accept the "
                 "loss, use another group",
                 consumer->options.kafka->group, place->topic, place->partition,
                 (long long)partition->sent, (long long)partition->recorded);
    else
        log_write(consumer->client.log, LOG_WARN, "kafka", "taken_over",
                  "%s/%d goes on after offset %lld, which another ledger has decided up to",
                  place->topic, place->partition, (long long)partition->sent);
}

/* Events that the broker has deleted before anybody read them. */
static void look_for_gap(struct kafka_consumer *consumer, const rd_kafka_topic_partition_t *place)
{
    int64_t low = 0, high = 0;
    if (place->offset < 0 ||
        rd_kafka_query_watermark_offsets(consumer->handle, place->topic, place->partition, &low,
                                         &high, ASK_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (low > place->offset)
        log_write(consumer->client.log, LOG_ERROR, "kafka", "events_lost",
                  "%s/%d: the broker deleted offsets %lld to %lld before they were read; raise the "
                  "topic's retention",
                  place->topic, place->partition, (long long)place->offset, (long long)low - 1);
    if (place->offset > high)
        complain(consumer, STATUS_CONFLICT,
                 "kafka: %s/%d ends at offset %lld and the ledger has decided up to %lld: it is "
                 "not the topic that the ledger knows. Use another group and ledger, or another "
                 "topic",
                 place->topic, place->partition, (long long)high, (long long)place->offset - 1);
}

/* Sets where to start and remembers what the broker may have missed. */
static void settle_start(struct kafka_consumer *consumer, rd_kafka_topic_partition_t *place,
                         struct kafka_partition *partition)
{
    partition->number = place->partition;
    partition->recorded = consumer->options.recorded(consumer->options.context, place->partition);
    partition->sent = place->offset >= 0 ? LAST_OF(place->offset) : KAFKA_NEVER;
    compare(consumer, place, partition);
    int64_t done = partition->sent > partition->recorded ? partition->sent : partition->recorded;
    place->offset = done >= 0 ? done + 1 : RD_KAFKA_OFFSET_BEGINNING;
    look_for_gap(consumer, place);
}

static void take_partitions(struct kafka_consumer *consumer,
                            rd_kafka_topic_partition_list_t *places)
{
    size_t n = (size_t)places->cnt;
    struct kafka_partition *partitions = calloc(n ? n : 1, sizeof *partitions);
    int64_t *next = calloc(n ? n : 1, sizeof *next);
    rd_kafka_resp_err_t code = rd_kafka_committed(consumer->handle, places, ASK_TIMEOUT_MS);
    for (int i = 0; i < places->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        code = places->elems[i].err;
    if (!partitions || !next || code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        complain(consumer, STATUS_UNAVAILABLE, "kafka: asking for the group's offsets: %s",
                 rd_kafka_err2str(code));
        free(partitions);
        free(next);
        rd_kafka_assign(consumer->handle, NULL);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        settle_start(consumer, &places->elems[i], &partitions[i]);
        next[i] = places->elems[i].offset;
    }
    consumer->partitions = partitions;
    consumer->next = next;
    consumer->n_partitions = n;
    rd_kafka_assign(consumer->handle, consumer->trouble == STATUS_OK ? places : NULL);
    log_write(consumer->client.log, LOG_INFO, "kafka", "assigned", "%zu %s of %s", n,
              number_noun(n, "partition", "partitions"), consumer->options.kafka->topic);
}

static void drop_partitions(struct kafka_consumer *consumer)
{
    free(consumer->partitions);
    free(consumer->next);
    consumer->partitions = NULL;
    consumer->next = NULL;
    consumer->last = 0;
    consumer->n_partitions = 0;
}

static void rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *places, void *opaque)
{
    struct kafka_consumer *consumer = opaque;
    struct error error;
    (void)handle;
    if (consumer->n_partitions > 0 && consumer->options.settle && consumer->trouble == STATUS_OK) {
        enum status status = consumer->options.settle(consumer->options.context, &error);
        if (status != STATUS_OK)
            complain(consumer, status, "%s", error.message);
    }
    consumer->rebalanced = true;
    consumer->paused = false;
    drop_partitions(consumer);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        take_partitions(consumer, places);
    else
        rd_kafka_assign(consumer->handle, NULL);
}

/* ---- opening and closing ---- */

static enum status start(struct kafka_consumer *consumer, struct error *error)
{
    const struct kafka_options *kafka = consumer->options.kafka;
    char name[KAFKA_LEDGER_SIZE + 16];
    snprintf(name, sizeof name, "binnacle-%s", consumer->options.ledger);
    const struct kafka_setting settings[] = {
        {"group.id", kafka->group},
        {"group.instance.id", kafka->static_member ? name : NULL},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "earliest"},
        {"queued.max.messages.kbytes", QUEUE_KB},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf;
    enum status status = kafka_conf(kafka, settings, &consumer->client, &conf, error);
    if (status != STATUS_OK)
        return status;
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    status = kafka_new(RD_KAFKA_CONSUMER, conf, &consumer->handle, error);
    if (status != STATUS_OK)
        return status;
    rd_kafka_poll_set_consumer(consumer->handle);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, kafka->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return kafka_code_failed(code, "subscribing", error);
}

enum status kafka_consumer_open(const struct kafka_consumer_options *options,
                                struct kafka_consumer **consumer, struct error *error)
{
    *consumer = NULL;
    struct kafka_consumer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->options = *options;
    made->client.log = options->log;
    enum status status = start(made, error);
    if (status != STATUS_OK) {
        kafka_consumer_close(made);
        return status;
    }
    *consumer = made;
    return STATUS_OK;
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (!consumer)
        return;
    release_messages(consumer);
    if (consumer->handle) {
        rd_kafka_consumer_close(consumer->handle);
        rd_kafka_destroy(consumer->handle);
    }
    drop_partitions(consumer);
    free(consumer);
}

/* ---- taking ---- */

static struct slice header_of(const rd_kafka_message_t *message, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return slice_of("");
    return slice_make(value, size);
}

/* What is not a message: a topic that is not there yet, a broker in trouble. Waiting helps with
 * those; a fatal one needs a new connection. */
static void handle_event(struct kafka_consumer *consumer, rd_kafka_message_t *message)
{
    char why[300];
    if (rd_kafka_fatal_error(consumer->handle, why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR)
        complain(consumer, STATUS_UNAVAILABLE, "kafka: %s", why);
    else
        log_write(consumer->client.log, LOG_WARN, "kafka", "waiting", "%s: %s",
                  rd_kafka_err2name(message->err), rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
}

/* Offsets only ever grow. A topic that was deleted and made anew begins again at 0. */
static void check_order(struct kafka_consumer *consumer, const rd_kafka_message_t *message)
{
    size_t n = consumer->n_partitions, at = consumer->last;
    for (size_t i = 0; i < n && consumer->partitions[at].number != message->partition; i++)
        at = at + 1 < n ? at + 1 : 0;
    if (n == 0 || consumer->partitions[at].number != message->partition)
        return; /* the next take says that it is not ours any more */
    consumer->last = at;
    if (message->offset < consumer->next[at])
        complain(consumer, STATUS_CONFLICT,
                 "kafka: %s/%d goes on at offset %lld, and has been read up to %lld: it is not the "
                 "topic that the ledger knows. Use another group and ledger, or another topic",
                 consumer->options.kafka->topic, message->partition, (long long)message->offset,
                 (long long)consumer->next[at] - 1);
    consumer->next[at] = message->offset + 1;
}

static void keep(struct kafka_consumer *consumer, rd_kafka_message_t *message)
{
    if (message->err) {
        handle_event(consumer, message);
        return;
    }
    check_order(consumer, message);
    consumer->messages[consumer->n_messages++] = message;
}

/* One poll may call us back about partitions and then return a message of the new ones. What was
 * collected before comes again from where the ledger ends; this one does not: it is held. */
static void hold(struct kafka_consumer *consumer, rd_kafka_message_t *message)
{
    release_messages(consumer);
    if (message)
        keep(consumer, message);
    consumer->held = consumer->n_messages > 0;
}

static void collect(struct kafka_consumer *consumer, size_t max, int timeout_ms)
{
    size_t bytes = 0;
    while (consumer->n_messages < max && bytes < TAKE_BYTES && consumer->trouble == STATUS_OK) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(consumer->handle, consumer->n_messages > 0 ? 0 : timeout_ms);
        if (consumer->rebalanced) {
            hold(consumer, message);
            return;
        }
        if (!message)
            return;
        bytes += message->len;
        keep(consumer, message);
    }
}

static void set_paused(struct kafka_consumer *consumer, bool paused)
{
    rd_kafka_topic_partition_list_t *places = NULL;
    if (consumer->paused == paused ||
        rd_kafka_assignment(consumer->handle, &places) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_resp_err_t code = paused ? rd_kafka_pause_partitions(consumer->handle, places)
                                      : rd_kafka_resume_partitions(consumer->handle, places);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        consumer->paused = paused;
    rd_kafka_topic_partition_list_destroy(places);
}

static enum status end_poll(const struct kafka_consumer *consumer, bool *rebalanced,
                            struct error *error)
{
    *rebalanced = consumer->rebalanced;
    if (consumer->trouble != STATUS_OK)
        *error = consumer->why;
    return consumer->trouble;
}

enum status kafka_consumer_take(struct kafka_consumer *consumer, struct kafka_record *records,
                                size_t max, int timeout_ms, size_t *n, bool *rebalanced,
                                struct error *error)
{
    set_paused(consumer, false);
    if (!consumer->held)
        release_messages(consumer);
    consumer->held = false;
    consumer->rebalanced = false;
    *n = 0;
    collect(consumer, max < MAX_TAKE ? max : MAX_TAKE, timeout_ms);
    enum status status = end_poll(consumer, rebalanced, error);
    for (; status == STATUS_OK && !consumer->rebalanced && *n < consumer->n_messages; (*n)++) {
        const rd_kafka_message_t *message = consumer->messages[*n];
        records[*n] = (struct kafka_record){
            .value = slice_make(message->payload, message->len),
            .traceparent = header_of(message, "traceparent"),
            .partition = message->partition,
            .offset = message->offset,
        };
    }
    return status;
}

enum status kafka_consumer_wait(struct kafka_consumer *consumer, int timeout_ms, bool *rebalanced,
                                struct error *error)
{
    if (!consumer->held)
        release_messages(consumer);
    consumer->rebalanced = false;
    set_paused(consumer, true);
    /* Paused partitions give nothing; should a message come all the same, it is held. */
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->handle, timeout_ms);
    if (consumer->rebalanced)
        hold(consumer, message);
    else if (message)
        keep(consumer, message);
    consumer->held = consumer->n_messages > 0;
    return end_poll(consumer, rebalanced, error);
}

const struct kafka_partition *kafka_consumer_partitions(const struct kafka_consumer *consumer,
                                                        size_t *n)
{
    *n = consumer->n_partitions;
    return consumer->partitions;
}

/* Of one partition; -1: not known. */
static int64_t lag_of(const struct kafka_consumer *consumer,
                      const rd_kafka_topic_partition_t *place)
{
    int64_t low = -1, high = -1;
    if (rd_kafka_get_watermark_offsets(consumer->handle, place->topic, place->partition, &low,
                                       &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        return -1;
    int64_t next = low > 0 ? low : 0;
    for (size_t i = 0; i < consumer->n_partitions; i++) { /* until a first message was taken */
        const struct kafka_partition *ours = &consumer->partitions[i];
        int64_t done = ours->sent > ours->recorded ? ours->sent : ours->recorded;
        if (ours->number == place->partition && done >= next)
            next = done + 1;
    }
    if (place->offset >= 0)
        next = place->offset;
    return high > next ? high - next : 0;
}

int64_t kafka_consumer_lag(const struct kafka_consumer *consumer)
{
    rd_kafka_topic_partition_list_t *places = NULL;
    int64_t sum = 0;
    if (rd_kafka_assignment(consumer->handle, &places) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    if (places->cnt == 0 ||
        rd_kafka_position(consumer->handle, places) != RD_KAFKA_RESP_ERR_NO_ERROR)
        sum = -1;
    for (int i = 0; i < places->cnt && sum >= 0; i++) {
        int64_t lag = lag_of(consumer, &places->elems[i]);
        sum = lag < 0 ? -1 : sum + lag;
    }
    rd_kafka_topic_partition_list_destroy(places);
    return sum;
}

bool kafka_consumer_reaches(const struct kafka_consumer *consumer, int timeout_ms)
{
    const struct rd_kafka_metadata *told = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(consumer->handle, 0, NULL, &told, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(told);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}
