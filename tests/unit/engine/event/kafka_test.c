/* The Kafka connection's configuration: what is read, what is refused, and how it is told. */
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

#include "engine/event/kafka_priv.h"
#include "tests/unit/folder.h"

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[FOLDER_PATH];
    folder_path(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* The document must outlive the options. */
static enum status read_options(const char *text, struct yaml **yaml, struct kafka_options *options,
                                struct error *error)
{
    enum status status = yaml_load_text("kafka.yaml", slice_of(text), yaml, error);
    if (status == STATUS_OK)
        status = kafka_options_read(yaml_root(*yaml), folder, options, error);
    return status;
}

static void reads_what_is_given_and_defaults_the_rest(void **state)
{
    (void)state;
    struct yaml *yaml = NULL;
    struct kafka_options options;
    struct error error;
    assert_int_equal(read_options("brokers: a:1,b:2\ngroup: g\ndead_letter_topic: ''\n"
                                  "settings: {security.protocol: sasl_ssl}\n",
                                  &yaml, &options, &error),
                     STATUS_OK);
    assert_string_equal(options.brokers, "a:1,b:2");
    assert_string_equal(options.group, "g");
    assert_string_equal(options.topic, "transactions");
    assert_string_equal(options.decisions_topic, "decisions");
    assert_string_equal(options.dead_letter_topic, "");
    assert_string_equal(options.password, "");
    yaml_destroy(yaml);
}

static void says_where_and_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"group: g\n", "brokers"},
        {"brokers: a:1\ntopik: x\n", "kafka.yaml:2:1: unknown key \"topik\""},
        {"brokers: a:1\nsettings: {secrity.protocol: ssl}\n",
         "kafka.yaml:2:12: librdkafka has no setting \"secrity.protocol\"; did you mean "
         "\"security.protocol\"?"},
        {"brokers: a:1\nsettings:\n  security.protocol: sss\n", "kafka.yaml:3:22: Invalid value"},
        {"brokers: a:1\nsettings: {enable.auto.commit: true}\n",
         "kafka.yaml:2:12: \"enable.auto.commit\" is set by binnacle itself"},
        {"brokers: a:1\nsettings: [1]\n", "kafka.yaml:2:11: settings is a map"},
        {"brokers: a:1\nsettings: {debug: [1]}\n", "\"debug\" takes one value"},
        {"brokers: a:1\npassword_file: none\n", "kafka.yaml:2:16: password_file: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct yaml *yaml = NULL;
        struct kafka_options options;
        struct error error = {.message = ""};
        assert_int_not_equal(read_options(cases[i].text, &yaml, &options, &error), STATUS_OK);
        if (!strstr(error.message, cases[i].message))
            fail_msg("%s\n said: %s", cases[i].text, error.message);
        yaml_destroy(yaml);
    }
}

static void takes_the_password_from_a_file_that_only_the_owner_reads(void **state)
{
    (void)state;
    static const char text[] = "brokers: a:1\npassword_file: secret\n";
    struct yaml *yaml = NULL;
    struct kafka_options options;
    struct error error;
    write_file("secret", "pass word\nmore\n", 0600);
    assert_int_equal(read_options(text, &yaml, &options, &error), STATUS_OK);
    assert_string_equal(options.password, "pass word");
    yaml_destroy(yaml);
    write_file("secret", "pass word\n", 0644);
    assert_int_equal(read_options(text, &yaml, &options, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "chmod 600"));
    yaml_destroy(yaml);
    write_file("secret", "", 0600);
    assert_int_equal(read_options(text, &yaml, &options, &error), STATUS_INVALID);
    yaml_destroy(yaml);
}

/* `linger.ms` was read and then overwritten by the producer's own value. */
static void lets_the_operators_settings_win_over_our_own(void **state)
{
    (void)state;
    static const struct kafka_setting own[] = {
        {"linger.ms", "1"}, {"compression.codec", "lz4"}, {NULL, NULL}};
    struct kafka_client client = {NULL};
    struct kafka_options options;
    struct yaml *yaml = NULL;
    struct error error;
    rd_kafka_conf_t *conf;
    char value[64];
    size_t size = sizeof value;
    assert_int_equal(
        read_options("brokers: a:1\nsettings: {linger.ms: 50}\n", &yaml, &options, &error),
        STATUS_OK);
    assert_int_equal(kafka_conf(&options, own, &client, &conf, &error), STATUS_OK);
    assert_int_equal(rd_kafka_conf_get(conf, "linger.ms", value, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(value, "50");
    size = sizeof value;
    assert_int_equal(rd_kafka_conf_get(conf, "compression.codec", value, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(value, "lz4");
    rd_kafka_conf_destroy(conf);
    yaml_destroy(yaml);
}

static void reads_addresses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"kafka://a:1",  "kafka:///t",
                                        "kafka://a:1/", "kafka://a/b/c",
                                        "http://a/t",   "kafka://aaaaaaaaaaaaaaaaaaaaaaaa:1/t"};
    char brokers[16];
    const char *topic = NULL;
    struct error error;
    assert_int_equal(kafka_address("kafka://a:1,b:2/t.x", brokers, sizeof brokers, &topic, &error),
                     STATUS_OK);
    assert_string_equal(brokers, "a:1,b:2");
    assert_string_equal(topic, "t.x");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(kafka_address(wrong[i], brokers, sizeof brokers, &topic, &error),
                         STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_given_and_defaults_the_rest),
        cmocka_unit_test(says_where_and_what_is_wrong),
        cmocka_unit_test_setup_teardown(takes_the_password_from_a_file_that_only_the_owner_reads,
                                        make_folder, remove_folder),
        cmocka_unit_test(lets_the_operators_settings_win_over_our_own),
        cmocka_unit_test(reads_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
