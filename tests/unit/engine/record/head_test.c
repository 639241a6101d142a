/* Signed heads: what is signed, when, and that files of the format before still open. */
#include "tests/unit/engine/record/fixture.h"

#include <sys/stat.h>

#include "engine/base/db.h"
#include "engine/record/head.h"

static void read_head(const char *dir, struct signed_head *head, uint8_t key[PUBLIC_KEY_SIZE])
{
    struct error error = {0};
    struct reader *reader = open_reader(dir);
    if (reader_signed_head(reader, head, key, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    reader_close(reader);
}

static int64_t count_of(const char *dir, const char *day, const char *sql)
{
    char path[4200];
    struct db *db;
    struct db_stmt *select;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/%s.db", dir, day);
    assert_int_equal(db_open(path, DB_READ, DB_SYNC_FULL, &db, &error), STATUS_OK);
    if (db_prepare(db, sql, &select, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(db_step(select, &error), STATUS_OK);
    int64_t count = db_int(select, 0);
    db_finish(select);
    db_close(db);
    return count;
}

static void signs_the_four_lines_of_the_interface(void **state)
{
    (void)state;
    /* Computed with another Ed25519 library (python-cryptography) from the seed 00 01 .. 1f. */
    struct head_key key = {0};
    for (int i = 0; i < KEY_SIZE; i++)
        key.seed[i] = (uint8_t)i;
    assert_int_equal(crypto_public_key(key.seed, key.public_key), STATUS_OK);
    assert_int_equal(head_key_id(key.public_key, key.key_id), STATUS_OK);
    assert_string_equal(key.key_id, "56475aa75463474c");
    struct signed_head head = {.tree_size = 1234, .timestamp_ms = 1533686400123};
    memset(head.root, 0xab, sizeof head.root);
    assert_int_equal(head_sign(&key, &head), STATUS_OK);
    char hex[2 * SIGNATURE_SIZE + 1];
    assert_string_equal(hex_encode(head.signature, SIGNATURE_SIZE, hex),
                        "e65fc12b015c102935f95a890850b320cbbaa47eed97263ddb2b005713572aca"
                        "09f4068ec768491923d257aee47d6fe1c20d3587b9501d616a68f6c23493b20f");
    assert_int_equal(head_check(&head, key.public_key), STATUS_OK);
    head.tree_size++;
    assert_int_equal(head_check(&head, key.public_key), STATUS_CORRUPT);
    head.tree_size--;
    head.timestamp_ms++;
    assert_int_equal(head_check(&head, key.public_key), STATUS_CORRUPT);
}

static void reads_back_what_it_writes_and_refuses_the_rest(void **state)
{
    (void)state;
    struct head_key key = {.seed = {7}};
    struct signed_head head = {.tree_size = 5, .timestamp_ms = 9, .root = {1, 2}}, back;
    struct buffer text;
    struct json_writer writer;
    struct json *json;
    struct error error = {0};
    assert_int_equal(crypto_public_key(key.seed, key.public_key), STATUS_OK);
    assert_int_equal(head_key_id(key.public_key, key.key_id), STATUS_OK);
    assert_int_equal(head_sign(&key, &head), STATUS_OK);
    buffer_init(&text, 4096);
    json_begin(&writer, &text);
    head_json(&head, &writer, NULL);
    assert_int_equal(json_parse(buffer_slice(&text), &json, &error), STATUS_OK);
    memset(&back, 0, sizeof back);
    assert_int_equal(head_parse(json, &back, &error), STATUS_OK);
    json_destroy(json);
    assert_int_equal(back.tree_size, head.tree_size);
    assert_int_equal(back.timestamp_ms, head.timestamp_ms);
    assert_memory_equal(back.root, head.root, SHA256_SIZE);
    assert_string_equal(back.key_id, head.key_id);
    assert_memory_equal(back.signature, head.signature, SIGNATURE_SIZE);
    assert_int_equal(json_parse(slice_of("{\"tree_size\":-1}"), &json, &error), STATUS_OK);
    assert_int_equal(head_parse(json, &back, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "tree_size"));
    json_destroy(json);

    uint8_t public_key[PUBLIC_KEY_SIZE];
    buffer_reset(&text);
    assert_true(public_key_pem(key.public_key, &text));
    assert_int_equal(public_key_parse(buffer_slice(&text), public_key, &error), STATUS_OK);
    assert_memory_equal(public_key, key.public_key, PUBLIC_KEY_SIZE);
    assert_int_equal(public_key_parse(slice_of("-----BEGIN PUBLIC KEY-----\nAAAA\n"
                                               "-----END PUBLIC KEY-----\n"),
                                      public_key, &error),
                     STATUS_INVALID);
    buffer_free(&text);
}

static void closing_signs_the_last_row_with_a_private_key(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct ledger_stats stats;
    struct signed_head head, again;
    uint8_t key[PUBLIC_KEY_SIZE];
    char path[4200];
    struct stat about;
    submit_decisions(ledger, 0, 1000, DAY_ONE, 1, -1);
    flush_ledger(ledger);
    submit_decisions(ledger, 1000, 10, DAY_ONE + 5000, 1, -1);
    flush_ledger(ledger);
    ledger_stats(ledger, &stats);
    close_ledger(ledger);
    read_head(*state, &head, key);
    assert_int_equal(head.tree_size, 1010);
    assert_memory_equal(head.root, stats.root, SHA256_SIZE);
    assert_int_equal(head_check(&head, key), STATUS_OK);
    snprintf(path, sizeof path, "%s/keys/head.key", (const char *)*state);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(about.st_size, KEY_SIZE);

    /* Nothing new, nothing signed. */
    close_ledger(open_ledger(*state, clock));
    read_head(*state, &again, key);
    assert_memory_equal(&head, &again, sizeof head);
    clock_destroy(clock);
}

static void a_tree_that_stands_still_is_signed_within_a_second(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct signed_head head = {0};
    uint8_t key[PUBLIC_KEY_SIZE];
    submit_decisions(ledger, 0, 10, DAY_ONE, 1, -1);
    flush_ledger(ledger);
    submit_decisions(ledger, 10, 7, DAY_ONE + 100, 1, -1);
    flush_ledger(ledger);
    for (int i = 0; i < 300 && head.tree_size != 17; i++) {
        usleep(50000);
        read_head(*state, &head, key);
    }
    assert_int_equal(head.tree_size, 17);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void many_groups_in_a_second_share_a_head(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    int64_t begun_ns = monotonic_ns();
    for (uint64_t i = 0; i < 40; i++) {
        submit_decisions(ledger, i, 1, DAY_ONE + (int64_t)i, 1, -1);
        flush_ledger(ledger);
    }
    int64_t seconds = (monotonic_ns() - begun_ns) / 1000000000;
    close_ledger(ledger);
    assert_int_equal(count_of(*state, "2018-08-08", "SELECT count(*) FROM commits"), 40);
    int64_t heads = count_of(*state, "2018-08-08", "SELECT count(*) FROM heads");
    assert_in_range(heads, 2, 3 + seconds);
    clock_destroy(clock);
}

static void every_day_ends_and_begins_with_a_head(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    submit_decisions(ledger, 0, 30, DAY_ONE, US_PER_HOUR * 2, -1);
    close_ledger(ledger);
    assert_int_equal(count_of(*state, "2018-08-08", "SELECT max(tree_size) FROM heads"), 12);
    assert_int_equal(count_of(*state, "2018-08-09", "SELECT max(tree_size) FROM heads"), 24);
    assert_int_equal(count_of(*state, "2018-08-10", "SELECT max(tree_size) FROM heads"), 30);
    clock_destroy(clock);
}

/* What step 2 of the format brought is taken out again. */
static const char TO_VERSION_1[] =
    "DROP TABLE rest_head; DROP TABLE heads; DROP TABLE head_keys; DROP TABLE nodes;"
    "ALTER TABLE quarantine DROP COLUMN digest; ALTER TABLE commits DROP COLUMN names;"
    "ALTER TABLE commits DROP COLUMN next_quarantine; ALTER TABLE commits DROP COLUMN marks;"
    "ALTER TABLE commits DROP COLUMN rest; ALTER TABLE state DROP COLUMN rest;"
    "ALTER TABLE state DROP COLUMN digest; PRAGMA user_version = 1;";

static void goes_on_with_a_ledger_of_the_format_before(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct signed_head head;
    struct ledger_row row;
    uint8_t key[PUBLIC_KEY_SIZE];
    struct error error = {0};
    char path[4200];
    submit_decisions(ledger, 0, 100, DAY_ONE, 1, -1);
    close_ledger(ledger);
    change_day(*state, TO_VERSION_1);
    snprintf(path, sizeof path, "%s/keys/head.key", (const char *)*state);
    assert_int_equal(unlink(path), 0);

    struct reader *reader = open_reader(*state);
    assert_int_equal(reader_row(reader, 99, &row, &error), STATUS_OK);
    assert_int_equal(reader_signed_head(reader, &head, key, &error), STATUS_NOT_FOUND);
    reader_close(reader);

    ledger = open_ledger(*state, clock);
    submit_decisions(ledger, 100, 50, DAY_ONE + 1000, 1, -1);
    close_ledger(ledger);
    read_head(*state, &head, key);
    assert_int_equal(head.tree_size, 150);
    assert_int_equal(head_check(&head, key), STATUS_OK);
    assert_int_equal(count_of(*state, "2018-08-08", "SELECT count(*) FROM decisions"), 150);
    assert_int_equal(count_of(*state, "2018-08-08", "PRAGMA user_version"), 3);
    clock_destroy(clock);
}

static void a_lost_signing_key_is_not_replaced_unasked(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct ledger_options options = {.dir = *state, .clock = clock};
    struct error error = {0};
    char path[4200];
    submit_decisions(ledger, 0, 10, DAY_ONE, 1, -1);
    close_ledger(ledger);
    snprintf(path, sizeof path, "%s/keys/head.key", (const char *)*state);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "head.key"));
    clock_destroy(clock);
}

/* Every line is a head of this ledger, the last one over all rows. */
static void heads_go_into_a_file_elsewhere(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    char path[4200], line[4096];
    struct error error = {0};
    struct ledger *ledger = NULL;
    snprintf(path, sizeof path, "%s-heads.jsonl", (const char *)*state);
    struct ledger_options options = {.dir = *state, .clock = clock, .heads_file = path};
    for (uint64_t i = 0; i < 3; i++) {
        if (ledger_open(&options, &ledger, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_int_equal(ledger_use_features(ledger, &FEATURES, &error), STATUS_OK);
        submit_decisions(ledger, i * 10, 10, DAY_ONE + (int64_t)i * US_PER_DAY, 1, -1);
        close_ledger(ledger);
    }
    FILE *file = fopen(path, "r");
    struct signed_head head = {0}, newest;
    uint8_t key[PUBLIC_KEY_SIZE];
    read_head(*state, &newest, key);
    int n = 0;
    assert_non_null(file);
    for (; fgets(line, sizeof line, file); n++) {
        struct json *json;
        uint64_t before = head.tree_size;
        assert_int_equal(json_parse(slice_of(line), &json, &error), STATUS_OK);
        assert_int_equal(head_parse(json, &head, &error), STATUS_OK);
        json_destroy(json);
        assert_int_equal(head_check(&head, key), STATUS_OK);
        assert_true(head.tree_size >= before);
    }
    fclose(file);
    assert_in_range(n, 3, 10);
    assert_int_equal(head.tree_size, 30);
    assert_memory_equal(head.signature, newest.signature, SIGNATURE_SIZE);
    assert_int_equal(unlink(path), 0);
    options.heads_file = "/proc/no/such/place";
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/proc/no/such/place"));
    clock_destroy(clock);
}

static void a_file_that_refuses_holds_nobody_up(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct error error = {0};
    struct ledger *ledger = NULL;
    struct ledger_options options = {.dir = *state, .clock = clock, .heads_file = "/dev/full"};
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_OK);
    assert_int_equal(ledger_use_features(ledger, &FEATURES, &error), STATUS_OK);
    submit_decisions(ledger, 0, 40, DAY_ONE, US_PER_DAY, -1);
    flush_ledger(ledger);
    close_ledger(ledger);
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_the_four_lines_of_the_interface),
        cmocka_unit_test(reads_back_what_it_writes_and_refuses_the_rest),
        IN_FOLDER(closing_signs_the_last_row_with_a_private_key),
        IN_FOLDER(a_tree_that_stands_still_is_signed_within_a_second),
        IN_FOLDER(many_groups_in_a_second_share_a_head),
        IN_FOLDER(every_day_ends_and_begins_with_a_head),
        IN_FOLDER(goes_on_with_a_ledger_of_the_format_before),
        IN_FOLDER(heads_go_into_a_file_elsewhere),
        IN_FOLDER(a_file_that_refuses_holds_nobody_up),
        IN_FOLDER(a_lost_signing_key_is_not_replaced_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
