/* Consumer, producer and the look at topics against librdkafka's mock cluster. What it cannot show
 * (aborted messages stay visible in it) is shown on a real broker by
 * tests/integration/kafka_pipeline.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "engine/base/clock.h"
#include "engine/event/kafka_consumer_priv.h"
#include "engine/event/kafka_producer.h"
#include "engine/event/kafka_topics.h"

#define PARTITIONS 2
#define PATIENT    150 /* takes of 100 ms */

/* The cluster and what is kept where a ledger would keep it. */
struct world {
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *cluster;
    struct kafka_options options;
    struct yaml *settings;
    int64_t recorded[PARTITIONS];
    struct kafka_producer *producer; /* transactional */
};

/* Long enough for the mock to gather a group (3 s), short enough to wait for. */
static const char quick[] = "session.timeout.ms: 6000\nheartbeat.interval.ms: 200\n";

static int set_up(void **state)
{
    struct error error;
    struct world *world = calloc(1, sizeof *world);
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_non_null(world);
    world->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    world->cluster = rd_kafka_mock_cluster_new(world->handle, 1);
    assert_int_equal(rd_kafka_mock_topic_create(world->cluster, "transactions", PARTITIONS, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(world->cluster, "decisions", PARTITIONS, 1), 0);
    kafka_options_init(&world->options);
    world->options.brokers = rd_kafka_mock_cluster_bootstraps(world->cluster);
    world->options.static_member = false; /* which the mock does not know */
    assert_int_equal(yaml_load_text("quick", slice_of(quick), &world->settings, &error), STATUS_OK);
    world->options.settings = yaml_root(world->settings);
    for (int i = 0; i < PARTITIONS; i++)
        world->recorded[i] = -1;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    kafka_producer_close(world->producer);
    rd_kafka_mock_cluster_destroy(world->cluster);
    rd_kafka_destroy(world->handle);
    yaml_destroy(world->settings);
    free(world);
    return 0;
}

static int64_t recorded(void *context, int32_t partition)
{
    const struct world *world = context;
    return world->recorded[partition];
}

static void must(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s", error->message);
}

static struct kafka_consumer *consume(struct world *world, const char *ledger)
{
    struct kafka_consumer *consumer;
    struct error error;
    const struct kafka_consumer_options options = {
        .kafka = &world->options, .ledger = ledger, .recorded = recorded, .context = world};
    must(kafka_consumer_open(&options, &consumer, &error), &error);
    return consumer;
}

static struct kafka_producer *produce(struct world *world, const char *name)
{
    struct kafka_producer *producer;
    struct error error;
    const struct kafka_producer_options options = {.kafka = &world->options,
                                                   .transactional_id = name};
    must(kafka_producer_open(&options, &producer, &error), &error);
    return producer;
}

/* Numbers from 0 on, their own keys, so that they spread over the partitions. */
static void send_numbers(struct world *world, int n)
{
    struct kafka_producer *producer = produce(world, NULL);
    struct error error;
    for (int i = 0; i < n; i++) {
        char text[16];
        int size = snprintf(text, sizeof text, "%d", i);
        const struct kafka_message message = {.topic = "transactions",
                                              .key = slice_make(text, (size_t)size),
                                              .value = slice_make(text, (size_t)size)};
        must(kafka_producer_put(producer, &message, &error), &error);
    }
    must(kafka_producer_flush(producer, 20000, &error), &error);
    kafka_producer_close(producer);
}

/* Takes once and keeps how far each partition has come; counts messages and sees to it that they
 * come in order and without a gap. */
static int take(struct world *world, struct kafka_consumer *consumer, bool *rebalanced)
{
    struct kafka_record records[64];
    struct error error;
    size_t n;
    must(kafka_consumer_take(consumer, records, 64, 100, &n, rebalanced, &error), &error);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(records[i].offset, world->recorded[records[i].partition] + 1);
        assert_true(records[i].value.size > 0);
        world->recorded[records[i].partition] = records[i].offset;
    }
    return (int)n;
}

static int take_all(struct world *world, struct kafka_consumer *consumer, int expected)
{
    int taken = 0;
    bool rebalanced;
    for (int i = 0; i < PATIENT && taken < expected; i++)
        taken += take(world, consumer, &rebalanced);
    return taken;
}

static void await_partitions(struct kafka_consumer *consumer, size_t wanted)
{
    struct kafka_record records[1];
    struct error error;
    bool rebalanced;
    size_t n, n_partitions = 0;
    for (int i = 0; i < PATIENT && n_partitions < wanted; i++) {
        must(kafka_consumer_take(consumer, records, 1, 100, &n, &rebalanced, &error), &error);
        assert_true(n == 0 || !rebalanced);
        kafka_consumer_partitions(consumer, &n_partitions);
    }
    assert_int_equal(n_partitions, wanted);
}

/* The mock takes offsets in transactions and forgets them; so they are also committed plainly. */
static void remember_offsets(const struct world *world, struct kafka_consumer *consumer)
{
    const char *ledger = kafka_consumer_ledger(consumer);
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        rd_kafka_topic_partition_t *place =
            rd_kafka_topic_partition_list_add(places, world->options.topic, i);
        place->offset = world->recorded[i] + 1;
        place->metadata = strdup(ledger);
        place->metadata_size = strlen(ledger);
    }
    assert_int_equal(rd_kafka_commit(kafka_consumer_handle(consumer), places, 0), 0);
    rd_kafka_topic_partition_list_destroy(places);
}

/* Commits where the ledger stands, with one decision, as the source does. */
static void commit(struct world *world, struct kafka_consumer *consumer)
{
    struct error error;
    struct kafka_partition partitions[PARTITIONS];
    const struct kafka_message message = {.topic = "decisions",
                                          .key = slice_of("k"),
                                          .value = slice_of("v"),
                                          .header = "event",
                                          .header_value = slice_of("transactions/0/0")};
    if (!world->producer)
        world->producer = produce(world, "binnacle-test");
    for (int i = 0; i < PARTITIONS; i++)
        partitions[i] = (struct kafka_partition){.number = i, .recorded = world->recorded[i]};
    must(kafka_producer_begin(world->producer, &error), &error);
    must(kafka_producer_put(world->producer, &message, &error), &error);
    must(kafka_producer_commit(world->producer, consumer, partitions, PARTITIONS, &error), &error);
    remember_offsets(world, consumer);
}

/* The brokers tell the ends with what they send: the first answers come without. */
static void await_lag(struct world *world, struct kafka_consumer *consumer, int64_t wanted)
{
    bool rebalanced;
    for (int i = 0; i < PATIENT && kafka_consumer_lag(consumer) != wanted; i++)
        take(world, consumer, &rebalanced);
    assert_int_equal(kafka_consumer_lag(consumer), wanted);
}

static void tells_how_far_it_is_behind(void **state)
{
    struct world *world = *state;
    struct kafka_record records[1];
    struct error error;
    bool rebalanced;
    size_t n = 0;
    send_numbers(world, 100);
    struct kafka_consumer *consumer = consume(world, "a");
    assert_int_equal(kafka_consumer_lag(consumer), -1);
    await_partitions(consumer, PARTITIONS);
    must(kafka_consumer_take(consumer, records, 1, 100, &n, &rebalanced, &error), &error);
    for (int i = 0; i < 1000 && kafka_consumer_lag(consumer) < 0; i++)
        pause_us(10000); /* until every partition has told its end */
    assert_in_range(kafka_consumer_lag(consumer), 98, 100);
    assert_true(kafka_consumer_reaches(consumer, 5000));
    assert_int_equal(rd_kafka_mock_broker_set_down(world->cluster, 1), 0);
    bool reaches = true;
    for (int i = 0; i < PATIENT && reaches; i++)
        reaches = kafka_consumer_reaches(consumer, 100);
    assert_false(reaches);
    kafka_consumer_close(consumer);
}

static void reads_from_the_start_and_then_from_where_the_ledger_ends(void **state)
{
    struct world *world = *state;
    send_numbers(world, 200);
    struct kafka_consumer *consumer = consume(world, "a");
    assert_int_equal(take_all(world, consumer, 200), 200);
    size_t n;
    const struct kafka_partition *partitions = kafka_consumer_partitions(consumer, &n);
    assert_int_equal(n, PARTITIONS);
    assert_int_equal(partitions[0].sent, KAFKA_NEVER);
    await_lag(world, consumer, 0);
    kafka_consumer_close(consumer);
    /* Nothing was committed to the group: the ledger alone says where to go on. */
    world->recorded[0] -= 10;
    consumer = consume(world, "a");
    assert_int_equal(take_all(world, consumer, 10), 10);
    kafka_consumer_close(consumer);
}

static void tells_what_the_brokers_missed(void **state)
{
    struct world *world = *state;
    size_t n;
    send_numbers(world, 100);
    struct kafka_consumer *consumer = consume(world, "a");
    assert_int_equal(take_all(world, consumer, 100), 100);
    commit(world, consumer);
    kafka_consumer_close(consumer);
    int64_t committed = world->recorded[1];
    world->recorded[1] += 7; /* seven more rows got into the ledger, and then the power went */
    send_numbers(world, 100);
    consumer = consume(world, "a");
    await_partitions(consumer, PARTITIONS);
    const struct kafka_partition *partitions = kafka_consumer_partitions(consumer, &n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(partitions[i].recorded, world->recorded[partitions[i].number]);
        assert_int_equal(partitions[i].sent,
                         partitions[i].number == 1 ? committed : world->recorded[0]);
    }
    assert_int_equal(take_all(world, consumer, 93), 93);
    kafka_consumer_close(consumer);
}

static void refuses_a_ledger_that_has_lost_rows_but_not_another_one(void **state)
{
    struct world *world = *state;
    struct kafka_record records[1];
    struct error error;
    bool rebalanced;
    size_t n;
    send_numbers(world, 100);
    struct kafka_consumer *consumer = consume(world, "a");
    assert_int_equal(take_all(world, consumer, 100), 100);
    commit(world, consumer);
    kafka_consumer_close(consumer);
    int64_t whole = world->recorded[0];
    world->recorded[0] = 3;
    consumer = consume(world, "a");
    enum status status = STATUS_OK;
    for (int i = 0; i < PATIENT && status == STATUS_OK; i++)
        status = kafka_consumer_take(consumer, records, 1, 100, &n, &rebalanced, &error);
    assert_int_equal(status, STATUS_CONFLICT);
    assert_non_null(strstr(error.message, "rows are missing"));
    kafka_consumer_close(consumer);
    send_numbers(world, 50);
    world->recorded[0] = -1;
    world->recorded[1] = -1;
    consumer = consume(world, "b"); /* a new ledger takes over where the group is */
    await_partitions(consumer, PARTITIONS);
    const struct kafka_partition *partitions = kafka_consumer_partitions(consumer, &n);
    for (size_t i = 0; i < n; i++)
        world->recorded[partitions[i].number] = partitions[i].sent;
    assert_int_equal(world->recorded[0], whole);
    assert_int_equal(take_all(world, consumer, 50), 50);
    kafka_consumer_close(consumer);
}

static void loses_nothing_when_members_come_and_go(void **state)
{
    struct world *world = *state;
    bool rebalanced;
    send_numbers(world, 100);
    struct kafka_consumer *first = consume(world, "a");
    assert_int_equal(take_all(world, first, 100), 100);
    commit(world, first);
    struct kafka_consumer *second = consume(world, "b");
    size_t n_first = PARTITIONS, n_second = 0;
    for (int i = 0; i < PATIENT && (n_first != 1 || n_second != 1); i++) {
        assert_int_equal(take(world, first, &rebalanced) + take(world, second, &rebalanced), 0);
        kafka_consumer_partitions(first, &n_first);
        kafka_consumer_partitions(second, &n_second);
    }
    assert_int_equal(n_first, 1);
    assert_int_equal(n_second, 1);
    send_numbers(world, 200);
    int taken = 0;
    for (int i = 0; i < PATIENT && taken < 200; i++)
        taken += take(world, first, &rebalanced) + take(world, second, &rebalanced);
    assert_int_equal(taken, 200);
    kafka_consumer_close(second);
    kafka_consumer_close(first);
}

static void waits_for_a_broker_that_is_away(void **state)
{
    struct world *world = *state;
    bool rebalanced;
    struct error error;
    const struct kafka_message message = {
        .topic = "transactions", .key = slice_of("k"), .value = slice_of("late")};
    struct kafka_consumer *consumer = consume(world, "a");
    await_partitions(consumer, PARTITIONS);
    struct kafka_producer *producer = produce(world, NULL);
    assert_int_equal(rd_kafka_mock_broker_set_down(world->cluster, 1), 0);
    must(kafka_producer_put(producer, &message, &error), &error);
    assert_int_equal(kafka_producer_flush(producer, 300, &error), STATUS_UNAVAILABLE);
    assert_int_equal(take(world, consumer, &rebalanced), 0);
    assert_int_equal(rd_kafka_mock_broker_set_up(world->cluster, 1), 0);
    must(kafka_producer_flush(producer, 20000, &error), &error);
    assert_int_equal(take_all(world, consumer, 1), 1);
    kafka_producer_close(producer);
    kafka_consumer_close(consumer);
}

static void reports_what_a_broker_refuses(void **state)
{
    struct world *world = *state;
    struct error error;
    struct kafka_producer *producer = produce(world, NULL);
    const struct kafka_message message = {
        .topic = "transactions", .key = slice_of("k"), .value = slice_of("v")};
    enum { PRODUCE = 0 }; /* the protocol's number of that request */
    rd_kafka_mock_push_request_errors(world->cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    must(kafka_producer_put(producer, &message, &error), &error);
    assert_int_equal(kafka_producer_flush(producer, 20000, &error), STATUS_UNAVAILABLE);
    assert_non_null(strstr(error.message, "transactions"));
    kafka_producer_close(producer);
}

static void looks_at_topics_without_making_them(void **state)
{
    struct world *world = *state;
    struct kafka_cluster_facts cluster;
    struct kafka_topic_facts topics[] = {{.name = "transactions"}, {.name = "missing"}};
    struct error error;
    for (int i = 0; i < 2; i++) {
        must(kafka_topics_look(&world->options, NULL, 5000, &cluster, topics, 2, &error), &error);
        assert_int_equal(cluster.n_brokers, 1);
        assert_true(topics[0].exists);
        assert_int_equal(topics[0].n_partitions, PARTITIONS);
        assert_int_equal(topics[0].replication_factor, 1);
        assert_false(topics[0].has_settings); /* the mock cluster does not tell them */
        assert_false(topics[1].exists);
    }
    world->options.brokers = "127.0.0.1:1";
    assert_int_equal(kafka_topics_look(&world->options, NULL, 500, &cluster, topics, 2, &error),
                     STATUS_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_from_the_start_and_then_from_where_the_ledger_ends,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_how_far_it_is_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_what_the_brokers_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_ledger_that_has_lost_rows_but_not_another_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(loses_nothing_when_members_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_a_broker_that_is_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reports_what_a_broker_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looks_at_topics_without_making_them, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
