/* The bodies that are posted, whatever the words in them, and reading channels: addresses that stay
 * out of the file, and mistakes told with their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>

#include "alerts/channel.h"
#include "engine/base/json.h"
#include "tests/unit/folder.h"

static const char CHANNELS[] = "- {name: chat, type: slack, url: \"http://127.0.0.1:1/x\"}\n"
                               "- {name: pager, type: webhook, url: \"http://127.0.0.1:1/y\"}\n";
enum { SLACK, WEBHOOK };

static const struct notice plain = {
    .service = "cards",
    .name = "latency-burn",
    .severity = "page",
    .summary = "burns at 15 times its rate",
    .link = "https://example.org/?a=1&b=2",
    .fingerprint = "f00d",
    .transition = TRANSITION_FIRING,
    .value = 15.5,
    .fired_us = INT64_C(1533686400000000),
    .at_us = INT64_C(1533686460000000),
};

static struct channels *read_channels(void)
{
    struct yaml *yaml;
    struct channels *channels;
    struct error error;
    assert_int_equal(yaml_load_text("c.yaml", slice_of(CHANNELS), &yaml, &error), STATUS_OK);
    assert_int_equal(channels_read(yaml_root(yaml), NULL, &channels, &error), STATUS_OK);
    yaml_destroy(yaml);
    return channels;
}

static struct json *render(int channel, const struct notice *notice)
{
    struct channels *channels = read_channels();
    struct buffer body;
    struct error error = {0};
    struct json *json = NULL;
    buffer_init(&body, 1u << 20);
    buffer_append_text(&body, "what was there before");
    assert_int_equal(channel_render(channels, channel, notice, &body, &error), STATUS_OK);
    for (size_t i = 0; i < body.size; i++) /* one line, nothing that a log could trip over */
        assert_true((unsigned char)body.data[i] >= 0x20);
    if (json_parse(buffer_slice(&body), &json, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    buffer_free(&body);
    channels_destroy(channels);
    return json;
}

static const char *text_of(const struct json *json, const char *key)
{
    return json_as_text(json_get(json, key), "(none)");
}

static void a_webhook_gets_the_documented_document(void **state)
{
    (void)state;
    struct json *json = render(WEBHOOK, &plain);
    assert_int_equal(json_size(json), 13);
    assert_int_equal(json_kind(json_get(json, "explanation")), JSON_NULL);
    assert_int_equal((int)json_as_number(json_get(json, "schema"), 0), 1);
    assert_string_equal(text_of(json, "service"), "cards");
    assert_string_equal(text_of(json, "name"), "latency-burn");
    assert_string_equal(text_of(json, "state"), "firing");
    assert_string_equal(text_of(json, "severity"), "page");
    assert_string_equal(text_of(json, "summary"), "burns at 15 times its rate");
    assert_float_equal(json_as_number(json_get(json, "value"), 0), 15.5, 0);
    assert_string_equal(text_of(json, "since"), "2018-08-08T00:00:00Z");
    assert_string_equal(text_of(json, "at"), "2018-08-08T00:01:00Z");
    assert_string_equal(text_of(json, "link"), "https://example.org/?a=1&b=2");
    assert_string_equal(text_of(json, "fingerprint"), "f00d");
    const struct json *labels = json_get(json, "labels");
    assert_int_equal(json_size(labels), 3);
    assert_string_equal(text_of(labels, "service"), "cards");
    assert_string_equal(text_of(labels, "alertname"), "latency-burn");
    assert_string_equal(text_of(labels, "severity"), "page");
    json_destroy(json);
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    struct notice notice = plain;
    notice.value = (double)NAN;
    notice.link = NULL;
    notice.transition = TRANSITION_RESOLVED;
    struct json *json = render(WEBHOOK, &notice);
    assert_int_equal(json_kind(json_get(json, "value")), JSON_NULL);
    assert_int_equal(json_kind(json_get(json, "link")), JSON_NULL);
    assert_string_equal(text_of(json, "state"), "resolved");
    json_destroy(json);
    json = render(SLACK, &notice);
    assert_null(strstr(text_of(json, "text"), "open binnacle"));
    json_destroy(json);
}

static void slack_gets_one_text_with_the_state_first(void **state)
{
    (void)state;
    struct json *json = render(SLACK, &plain);
    assert_int_equal(json_size(json), 1);
    assert_string_equal(text_of(json, "text"),
                        "▲ page *latency-burn* on cards\nburns at 15 times its rate\n"
                        "since 2018-08-08T00:00:00Z · "
                        "<https://example.org/?a=1&amp;b=2|open binnacle>");
    json_destroy(json);
    struct notice notice = plain;
    notice.severity = "ticket";
    json = render(SLACK, &notice);
    assert_memory_equal(text_of(json, "text"), "◆ ticket", strlen("◆ ticket"));
    json_destroy(json);
    notice.transition = TRANSITION_RESOLVED;
    json = render(SLACK, &notice);
    assert_memory_equal(text_of(json, "text"), "● resolved", strlen("● resolved"));
    json_destroy(json);
}

static void what_explains_it_is_told(void **state)
{
    (void)state;
    static const struct explanation explanation = {
        .incident = "country is null",
        .causes = {{.cause = "upstream", .slice = "country", .evidence = "20 % now & 1 % before"}},
        .n_causes = 1,
        .action = "ask its sender"};
    struct notice notice = plain;
    notice.explanation = &explanation;
    struct json *json = render(WEBHOOK, &notice);
    const struct json *told = json_get(json, "explanation");
    assert_string_equal(text_of(told, "incident"), "country is null");
    assert_string_equal(text_of(json_first(json_get(told, "causes")), "cause"), "upstream");
    assert_string_equal(text_of(told, "action"), "ask its sender");
    json_destroy(json);
    json = render(SLACK, &notice);
    assert_non_null(strstr(text_of(json, "text"),
                           "likely cause: upstream country: 20 % now &amp; 1 % before\n"
                           "to do: ask its sender\nsince"));
    json_destroy(json);
    struct explanation over = explanation;
    over.until_us = 1;
    notice.explanation = &over;
    json = render(SLACK, &notice);
    assert_non_null(strstr(text_of(json, "text"), "to do: " EXPLANATION_OVER_ACTION "\nsince"));
    json_destroy(json);
}

static void hostile_words_stay_words(void **state)
{
    (void)state;
    static const char words[] =
        "<!channel> & <https://evil|click>\n\"quoted\" \\ \x01\x1b[31m\ttab";
    struct notice notice = plain;
    notice.summary = words;
    notice.service = "a<b";
    struct json *json = render(WEBHOOK, &notice); /* JSON needs no more than its own escapes */
    assert_string_equal(text_of(json, "summary"), words);
    json_destroy(json);
    json = render(SLACK, &notice);
    assert_non_null(strstr(text_of(json, "text"),
                           "a&lt;b\n&lt;!channel&gt; &amp; &lt;https://evil|click&gt;\n"
                           "\"quoted\" \\ \x01\x1b[31m\ttab\n"));
    json_destroy(json);
}

static void bytes_that_are_no_text_do_not_break_the_body(void **state)
{
    (void)state;
    struct notice notice = plain;
    notice.summary = "caf\xc3\xa9 \xff\xc3";
    for (int channel = SLACK; channel <= WEBHOOK; channel++) {
        struct json *json = render(channel, &notice);
        assert_non_null(strstr(text_of(json, channel == SLACK ? "text" : "summary"),
                               "caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd"));
        json_destroy(json);
    }
}

static void very_long_words_still_make_a_whole_body(void **state)
{
    (void)state;
    char *words = malloc(20001);
    assert_non_null(words);
    memset(words, '<', 20000);
    words[20000] = '\0';
    struct notice notice = plain;
    notice.summary = words;
    for (int channel = SLACK; channel <= WEBHOOK; channel++) {
        struct json *json = render(channel, &notice);
        assert_true(strlen(text_of(json, channel == SLACK ? "text" : "summary")) >= 20000);
        json_destroy(json);
    }
    free(words);
}

/* ---- reading ---- */

static void a_body_that_does_not_fit_is_refused_and_not_cut(void **state)
{
    (void)state;
    struct channels *channels = read_channels();
    struct error error;
    for (int channel = SLACK; channel <= WEBHOOK; channel++) {
        enum status status = STATUS_FULL;
        struct buffer body;
        for (size_t maximum = 1; status != STATUS_OK; maximum++) {
            buffer_init(&body, maximum);
            status = channel_render(channels, channel, &plain, &body, &error);
            assert_true(status == STATUS_OK || status == STATUS_FULL);
            if (status == STATUS_OK) /* the first that is large enough has all of it */
                assert_non_null(strstr(body.data, channel == SLACK ? "|open binnacle>\"}"
                                                                   : "\"severity\":\"page\"}}"));
            buffer_free(&body);
        }
    }
    channels_destroy(channels);
}

static enum status read_text(const char *text, const char *at, struct error *error)
{
    struct yaml *yaml;
    struct channels *channels = NULL;
    *error = (struct error){0};
    assert_int_equal(yaml_load_text("c.yaml", slice_of(text), &yaml, error), STATUS_OK);
    enum status status = channels_read(yaml_root(yaml), at, &channels, error);
    channels_destroy(channels);
    yaml_destroy(yaml);
    return status;
}

static void reads_addresses_from_the_environment_and_from_files(void **state)
{
    (void)state;
    char path[FOLDER_PATH];
    struct error error;
    FILE *file = fopen(folder_path("url", path), "w");
    assert_non_null(file);
    fputs("https://example.org/hook\r\nsecond line\n", file);
    fclose(file);
    assert_int_equal(setenv("BINNACLE_TEST_URL", "http://example.org/", 1), 0);
    assert_int_equal(read_text("- {name: a, type: slack, url_file: url}\n"
                               "- {name: b, type: slack, url_env: BINNACLE_TEST_URL}\n",
                               folder, &error),
                     STATUS_OK);
    unsetenv("BINNACLE_TEST_URL");
    assert_int_equal(
        read_text("- {name: b, type: slack, url_env: BINNACLE_TEST_URL}\n", folder, &error),
        STATUS_INVALID);
    assert_non_null(strstr(error.message, "c.yaml:1:35: the environment has no BINNACLE_TEST_URL"));
}

static void tells_where_a_mistake_stands(void **state)
{
    (void)state;
#define URL "url: \"http://h/\""
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: b\n", "c.yaml:1:1: channels is a list"},
        {"- {name: a, typ: slack, " URL "}\n",
         "c.yaml:1:13: unknown key \"typ\"; did you mean \"type\"?"},
        {"- {type: slack, " URL "}\n", "name"},
        {"- {name: \"\", type: slack, " URL "}\n", "c.yaml:1:10: a name of up to 63 characters"},
        {"- {name: a, type: slack, " URL "}\n- {name: a, type: slack, " URL "}\n",
         "c.yaml:2:10: a name of up to 63 characters that no other channel has"},
        {"- {name: a, type: mail, " URL "}\n", "c.yaml:1:19: 'mail' is not slack or webhook"},
        {"- {name: a, type: slack}\n", "c.yaml:1:3: one of url, url_env and url_file is needed"},
        {"- {name: a, type: slack, url_env: HOME, " URL "}\n", "one of url, url_env"},
        {"- {name: a, type: slack, url: \"ftp://h/\"}\n", "must begin with http:// or https://"},
        {"- {name: a, type: slack, url_file: no-such-file}\n", "no-such-file: cannot be read"},
        {"- {name: a, type: slack, " URL ", secret_file: no-such-file}\n", "cannot be read"},
        {"- {name: a, type: slack, " URL ", timeout: 5m}\n", "c.yaml:1:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        assert_int_equal(read_text(cases[i].text, "/tmp", &error), STATUS_INVALID);
        if (!strstr(error.message, cases[i].message))
            fail_msg("case %zu: \"%s\" has no \"%s\"", i, error.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_gets_the_documented_document),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(what_explains_it_is_told),
        cmocka_unit_test(slack_gets_one_text_with_the_state_first),
        cmocka_unit_test(hostile_words_stay_words),
        cmocka_unit_test(bytes_that_are_no_text_do_not_break_the_body),
        cmocka_unit_test(very_long_words_still_make_a_whole_body),
        cmocka_unit_test(a_body_that_does_not_fit_is_refused_and_not_cut),
        cmocka_unit_test_setup_teardown(reads_addresses_from_the_environment_and_from_files,
                                        make_folder, remove_folder),
        cmocka_unit_test(tells_where_a_mistake_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
