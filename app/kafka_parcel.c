/* Messages are kept as places in one buffer, which may move while it grows; they become slices when
 * they are put. One thread at a time: the worker's fills, the sender's puts. */
#include "app/kafka_parcel.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/base/buffer.h"
#include "engine/base/json.h"

#define MAX_BYTES  (96u << 20)
#define KEEP_BYTES (4u << 20) /* memory of a batch that was much larger than most is given back */

/* Key, value and header stand behind each other from `at` on. */
struct letter {
    bool dead; /* a dead letter, else a decision */
    size_t at, key_size, value_size, header_size;
};

struct kafka_parcel {
    const struct kafka_options *options;
    struct buffer bytes;
    struct letter letters[MAX_BATCH];
    size_t n;
    struct kafka_reach reach;
    uint64_t ticket;
};

/* ---- how far ---- */

/* The later offset of a partition counts. */
static enum status note_reach(struct kafka_reach *reach, int32_t partition, int64_t offset,
                              struct error *error)
{
    size_t at = 0;
    while (at < reach->n && reach->partitions[at].number != partition)
        at++;
    struct kafka_partition *partitions =
        array_grow(reach->partitions, at, &reach->capacity, sizeof *partitions);
    if (!partitions)
        return error_set(error, STATUS_MEMORY, "out of memory");
    reach->partitions = partitions;
    if (at == reach->n)
        reach->partitions[reach->n++] =
            (struct kafka_partition){.number = partition, .recorded = offset};
    else if (reach->partitions[at].recorded < offset)
        reach->partitions[at].recorded = offset;
    return STATUS_OK;
}

void kafka_reach_free(struct kafka_reach *reach)
{
    free(reach->partitions);
    *reach = (struct kafka_reach){0};
}

/* ---- messages ---- */

struct slice kafka_place(const struct kafka_options *options, int32_t partition, int64_t offset,
                         char text[KAFKA_PLACE_SIZE])
{
    int size = snprintf(text, KAFKA_PLACE_SIZE, "%s/%d/%lld", options->topic, partition,
                        (long long)offset);
    return slice_make(text, (size_t)size);
}

/* Where it came from goes along, for whoever joins the two topics. */
struct kafka_message kafka_decision(const struct kafka_options *options, struct slice entity,
                                    struct slice body, struct slice place)
{
    return (struct kafka_message){.topic = options->decisions_topic,
                                  .key = entity,
                                  .value = body,
                                  .header = "event",
                                  .header_value = place};
}

/* The bytes as they came, with the reasons in a header. */
struct kafka_message kafka_dead_letter(const struct kafka_options *options, struct slice raw,
                                       struct slice violations, struct slice place)
{
    return (struct kafka_message){.topic = options->dead_letter_topic,
                                  .key = place,
                                  .value = raw,
                                  .header = "reasons",
                                  .header_value = violations};
}

/* ---- filling ---- */

static void end_key(struct kafka_parcel *parcel, struct letter *letter)
{
    letter->key_size = parcel->bytes.size - letter->at;
}

static void end_value(struct kafka_parcel *parcel, struct letter *letter)
{
    letter->value_size = parcel->bytes.size - letter->at - letter->key_size;
}

static void end_header(struct kafka_parcel *parcel, struct letter *letter)
{
    letter->header_size = parcel->bytes.size - letter->at - letter->key_size - letter->value_size;
}

static void add_decision(struct kafka_parcel *parcel, struct worker *worker,
                         const struct answer *answer, struct slice place)
{
    struct letter *letter = &parcel->letters[parcel->n++];
    *letter = (struct letter){.at = parcel->bytes.size};
    buffer_append_slice(&parcel->bytes, answer_entity(worker, answer));
    end_key(parcel, letter);
    answer_json(worker, answer, &parcel->bytes);
    end_value(parcel, letter);
    buffer_append_slice(&parcel->bytes, place);
    end_header(parcel, letter);
}

static void add_dead_letter(struct kafka_parcel *parcel, const struct answer *answer,
                            struct slice raw, struct slice place)
{
    struct json_writer json;
    struct letter *letter = &parcel->letters[parcel->n++];
    *letter = (struct letter){.dead = true, .at = parcel->bytes.size};
    buffer_append_slice(&parcel->bytes, place);
    end_key(parcel, letter);
    buffer_append_slice(&parcel->bytes, raw);
    end_value(parcel, letter);
    json_begin(&json, &parcel->bytes);
    event_violations_json(answer->event, &json, NULL);
    end_header(parcel, letter);
}

static void add(struct kafka_parcel *parcel, struct worker *worker, const struct answer *answer,
                const struct kafka_record *record)
{
    char text[KAFKA_PLACE_SIZE];
    struct slice place = kafka_place(parcel->options, record->partition, record->offset, text);
    switch (answer->kind) {
    case ANSWER_DECIDED:
        if (parcel->options->decisions_topic[0])
            add_decision(parcel, worker, answer, place);
        return;
    case ANSWER_CONFLICT:
    case ANSWER_QUARANTINED:
        if (parcel->options->dead_letter_topic[0])
            add_dead_letter(parcel, answer, record->value, place);
        return;
    case ANSWER_DUPLICATE: /* its decision is on the topic already */
    case ANSWER_REFUSED:   /* never: a source waits for room */
        return;
    }
}

enum status kafka_parcel_fill(struct kafka_parcel *parcel, const struct kafka_options *options,
                              struct worker *worker, const struct answer *answers,
                              const struct kafka_record *records, size_t n, struct error *error)
{
    if (parcel->bytes.capacity > KEEP_BYTES)
        buffer_free(&parcel->bytes);
    buffer_reset(&parcel->bytes);
    parcel->options = options;
    parcel->n = 0;
    parcel->reach.n = 0;
    parcel->ticket = worker_ticket(worker);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        add(parcel, worker, &answers[i], &records[i]);
        status = note_reach(&parcel->reach, records[i].partition, records[i].offset, error);
    }
    if (status == STATUS_OK && parcel->bytes.overflow)
        status =
            error_set(error, STATUS_MEMORY, "a batch has more than %u bytes to send", MAX_BYTES);
    return status;
}

uint64_t kafka_parcel_ticket(const struct kafka_parcel *parcel)
{
    return parcel->ticket;
}

size_t kafka_parcel_bytes(const struct kafka_parcel *parcel)
{
    return parcel->bytes.size;
}

/* ---- putting ---- */

static enum status put_letter(const struct kafka_parcel *parcel, const struct letter *letter,
                              struct kafka_producer *producer, struct error *error)
{
    const char *at = parcel->bytes.data + letter->at;
    struct slice key = slice_make(at, letter->key_size);
    struct slice value = slice_make(at + letter->key_size, letter->value_size);
    struct slice header =
        slice_make(at + letter->key_size + letter->value_size, letter->header_size);
    const struct kafka_message message =
        letter->dead ? kafka_dead_letter(parcel->options, value, header, key)
                     : kafka_decision(parcel->options, key, value, header);
    return kafka_producer_put(producer, &message, error);
}

enum status kafka_parcel_put(const struct kafka_parcel *parcel, struct kafka_producer *producer,
                             struct kafka_reach *reach, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < parcel->n && status == STATUS_OK; i++)
        status = put_letter(parcel, &parcel->letters[i], producer, error);
    for (size_t i = 0; i < parcel->reach.n && status == STATUS_OK; i++)
        status = note_reach(reach, parcel->reach.partitions[i].number,
                            parcel->reach.partitions[i].recorded, error);
    return status;
}

/* ---- making ---- */

struct kafka_parcel *kafka_parcel_create(void)
{
    struct kafka_parcel *parcel = calloc(1, sizeof *parcel);
    if (parcel)
        buffer_init(&parcel->bytes, MAX_BYTES);
    return parcel;
}

void kafka_parcel_destroy(struct kafka_parcel *parcel)
{
    if (!parcel)
        return;
    buffer_free(&parcel->bytes);
    kafka_reach_free(&parcel->reach);
    free(parcel);
}
