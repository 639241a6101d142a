/* A configuration folder: defaults, paths relative to it, and every kind of mistake told with file,
 * line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>

#include "app/config.h"
#include "engine/base/clock.h"
#include "engine/contract/contract.h"
#include "engine/decide/rules.h"
#include "engine/feature/views.h"
#include "tests/unit/folder.h"

static const char CONTRACT[] = "name: payments\n"
                               "version: \"1\"\n"
                               "fields:\n"
                               "  - {name: id, type: string}\n"
                               "  - {name: ts, type: timestamp}\n"
                               "  - {name: amount, type: float}\n"
                               "roles: {id: id, time: ts}\n";
static const char VIEWS[] = "features: [amount]\n";
static const char RULES[] = "rules:\n"
                            "  - {name: high, when: score > 0.5, decision: review}\n"
                            "default: approve\n";

static void put(const char *name, const char *text)
{
    char path[FOLDER_PATH];
    folder_path(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    if (make_folder(state))
        return -1;
    put("contract.yaml", CONTRACT);
    put("features.yaml", VIEWS);
    put("rules.yaml", RULES);
    return 0;
}

static struct config *load(const char *text)
{
    struct config *config;
    struct error error = {0};
    put("binnacle.yaml", text);
    if (config_load(folder, &config, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return config;
}

/* The message without the folder. */
static const char *refusal(const char *text)
{
    static struct error error;
    struct config *config = NULL;
    error = (struct error){0};
    put("binnacle.yaml", text);
    if (config_load(folder, &config, &error) == STATUS_OK)
        fail_msg("taken: %s", text);
    assert_null(config);
    size_t length = strlen(folder);
    return strncmp(error.message, folder, length) == 0 ? error.message + length + 1 : error.message;
}

static void what_is_left_out_has_the_documented_default(void **state)
{
    (void)state;
    struct config *config = load("service: cards\nlisten: # as if left out\n");
    assert_string_equal(config->service, "cards");
    assert_string_equal(config->listen, "127.0.0.1:8420");
    assert_null(config->listen_score);
    assert_string_equal(config->online_store, "embedded");
    assert_int_equal(config->max_memory_mb, 2048);
    assert_int_equal(config->workers, 160);
    assert_int_equal(config->viewers, 256);
    assert_null(config->ledger.dir);
    assert_string_equal(config->ledger.durability, "commit");
    assert_int_equal(config->ledger.queue_rows, 65536);
    assert_string_equal(config->source.type, "http");
    assert_string_equal(config->source.speed, "max");
    assert_float_equal(config->source.rate, 40, 0);
    assert_false(config->source.steady);
    assert_int_equal(config->source.label_delay_us, 2 * US_PER_MIN);
    assert_int_equal(config->n_models, 0);
    assert_int_equal(config->n_arms, 0);
    assert_null(config->objectives);
    assert_null(config->alerts);
    /* The three files are read. */
    assert_string_equal(contract_schema(config->contract)->name, "payments");
    assert_int_equal(feature_views_schema(config->views)->n_features, 1);
    assert_int_equal(rules_count(config->rules), 1);
    config_destroy(config);
}

static void what_is_given_is_taken(void **state)
{
    (void)state;
    put("other.yaml", CONTRACT);
    struct config *config =
        load("service: cards\n"
             "contract: other.yaml\n"
             "models:\n"
             "  - {name: fraud, version: \"1\", file: a.json}\n"
             "  - {name: fraud, version: \"2\", file: /models/b.json}\n"
             "traffic:\n"
             "  - {variant: champion, model: fraud, version: \"1\"}\n"
             "  - {variant: canary, model: fraud, version: \"2\", share: 12.5}\n"
             "ledger: {dir: data, durability: batch, batch: 250ms, queue_rows: 2048}\n"
             "source: {type: file, path: in.csv, speed: \"60\"}\n"
             "workers: 3\n"
             "viewers: 1000\n");
    assert_int_equal(config->n_models, 2);
    assert_string_equal(config->models[1].file, "/models/b.json");
    assert_int_equal(config->n_arms, 2);
    assert_int_equal(config->arms[1].role, TRAFFIC_CANARY);
    assert_string_equal(config->arms[1].version, "2");
    assert_float_equal(config->arms[1].share_percent, 12.5, 0);
    assert_true(isnan(config->arms[0].share_percent));
    assert_int_equal(config->ledger.batch_us, 250000);
    assert_int_equal(config->ledger.queue_rows, 2048);
    assert_string_equal(config->source.path, "in.csv");
    assert_int_equal(config->workers, 3);
    assert_int_equal(config->viewers, 1000);
    config_destroy(config);
}

static void paths_are_relative_to_the_folder(void **state)
{
    (void)state;
    char expected[FOLDER_PATH];
    struct config *config = load("service: cards\n");
    char *path = config_path(config, "a/b.json");
    snprintf(expected, sizeof expected, "%s/a/b.json", folder);
    assert_string_equal(path, expected);
    free(path);
    path = config_path(config, "/a/b.json");
    assert_string_equal(path, "/a/b.json");
    free(path);
    config_destroy(config);
}

#define MODEL   "models: [{name: m, version: a, file: f}]\n"
#define SERVICE "service: s\n"

static void tells_where_a_mistake_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "binnacle.yaml: is empty; it needs `service`"},
        {"- a\n", "binnacle.yaml:1:1: expected a map of keys and values, found a list"},
        {"listen: 127.0.0.1:1\n", "binnacle.yaml:1:1: missing key \"service\""},
        {"servise: s\n", "binnacle.yaml:1:1: unknown key \"servise\"; did you mean \"service\"?"},
        {SERVICE "service: t\n", "binnacle.yaml:2:1: "},
        {"service: [s]\n", "binnacle.yaml:1:10: expected text, found a list"},
        {SERVICE "workers: many\n", "binnacle.yaml:2:10: expected an integer, found \"many\""},
        {SERVICE "workers: 1.5\n", "binnacle.yaml:2:10: expected an integer, found \"1.5\""},
        {SERVICE "workers: \"3\"\n", "binnacle.yaml:2:10: expected an integer, found \"3\" in quo"},
        {SERVICE "workers: 0\n", "binnacle.yaml:2:10: workers must be from 1 to 1024, found 0"},
        {SERVICE "max_memory_mb: 8\n",
         "binnacle.yaml:2:16: max_memory_mb must be from 16 to 1.04858e+06, found 8"},
        {SERVICE "models: {a: b}\n", "binnacle.yaml:2:9: models is a list of up to 16"},
        {SERVICE "models: [{name: m, version: a}]\n", "binnacle.yaml:2:10: missing key \"file\""},
        {SERVICE "models: [{nam: m}]\n",
         "binnacle.yaml:2:11: unknown key \"nam\"; did you mean \"name\"?"},
        {SERVICE
         "models:\n  - {name: m, version: a, file: f}\n  - {name: m, version: a, file: g}\n",
         "binnacle.yaml:4:5: there are two models m version a"},
        {SERVICE MODEL, "binnacle.yaml:2:9: `traffic` must say which"},
        {SERVICE MODEL "traffic: champion\n", "binnacle.yaml:3:10: a list of {variant,"},
        {SERVICE MODEL "traffic: [{variant: champoin, model: m, version: a}]\n",
         "binnacle.yaml:3:21: \"champoin\" is not champion, canary or shadow; did you mean "
         "\"champion\"?"},
        {SERVICE MODEL "traffic: [{variant: champion, model: m, version: b}]\n",
         "binnacle.yaml:3:11: models has no m version b"},
        {SERVICE MODEL "traffic: [{variant: canary, model: m, version: a, share: 5}]\n",
         "binnacle.yaml:3:10: "},
        {SERVICE MODEL "traffic: [{variant: champion, model: m, version: a, share: 120}]\n",
         "binnacle.yaml:3:60: share must be from 0 to 100, found 120"},
        {SERVICE "ledger: {durabilty: batch}\n",
         "binnacle.yaml:2:10: unknown key \"durabilty\"; did you mean \"durability\"?"},
        {SERVICE "ledger: {durability: comit}\n",
         "binnacle.yaml:2:22: durability: \"comit\" is none of commit, batch; did you mean "
         "\"commit\"?"},
        {SERVICE "ledger: {batch: soon}\n", "binnacle.yaml:2:17: expected a duration such as"},
        {SERVICE "ledger: {batch: 2m}\n", "binnacle.yaml:2:17: batch must be from 0.001s to 60s"},
        {SERVICE "ledger: {queue_rows: 10}\n", "binnacle.yaml:2:22: queue_rows must be from 1024"},
        {SERVICE "source: {rate: 5}\n", "binnacle.yaml:2:9: missing key \"type\""},
        {SERVICE "source: {type: kafak}\n",
         "binnacle.yaml:2:16: type: \"kafak\" is none of http, demo, file, kafka; did you mean "
         "\"kafka\"?"},
        {SERVICE "source: {type: file, path: x, speed: fast}\n",
         "binnacle.yaml:2:38: speed: \"fast\" is neither max nor a factor above 0"},
        {SERVICE "source: {type: demo, fraud: 2}\n", "binnacle.yaml:2:29: fraud must be from 0 to"},
        {SERVICE "a: [\n", "binnacle.yaml:3:"},
        {SERVICE "contract: none.yaml\n", "none.yaml"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *message = refusal(cases[i].text);
        if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("case %zu: \"%s\" does not begin with \"%s\"", i, message, cases[i].message);
    }
}

static void a_mistake_in_a_named_file_is_told_with_that_file(void **state)
{
    (void)state;
    put("contract.yaml", "nmae: payments\n");
    assert_memory_equal(refusal(SERVICE), "contract.yaml:1:1: ", 19);
    put("contract.yaml", CONTRACT);
    put("features.yaml", "features: [amuont]\n");
    const char *message = refusal(SERVICE);
    assert_memory_equal(message, "features.yaml:1:12: ", 20);
    assert_non_null(strstr(message, "amount"));
    put("features.yaml", VIEWS);
    put("rules.yaml", "rules:\n  - {name: a, when: scoer > 1, decision: review}\n");
    message = refusal(SERVICE);
    assert_memory_equal(message, "rules.yaml:2:", 13);
    assert_non_null(strstr(message, "score"));
}

static void a_folder_that_is_none_is_told(void **state)
{
    (void)state;
    struct config *config;
    struct error error = {0};
    assert_int_not_equal(config_load("/no/such/folder", &config, &error), STATUS_OK);
    assert_non_null(strstr(error.message, "/no/such/folder/binnacle.yaml"));
}

static void the_examples_load(void **state)
{
    (void)state;
    static const char *const examples[] = {"packaging/examples/transactions",
                                           "packaging/examples/card-fraud"};
    for (int i = 0; i < 2; i++) {
        struct config *config;
        struct error error = {0};
        if (config_load(examples[i], &config, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        config_destroy(config);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(what_is_left_out_has_the_documented_default),
        TEST(what_is_given_is_taken),
        TEST(paths_are_relative_to_the_folder),
        TEST(tells_where_a_mistake_stands),
        TEST(a_mistake_in_a_named_file_is_told_with_that_file),
        TEST(a_folder_that_is_none_is_told),
        cmocka_unit_test(the_examples_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
