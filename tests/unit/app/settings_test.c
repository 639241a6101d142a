/* The configuration in effect: every value knows its line, defaults are there, secrets are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/settings.h"
#include "engine/base/json.h"

#define PASSWORD "hunter2"

static const char text[] = "service: fraud\n"
                           "listen: 127.0.0.1:1\n"
                           "online_store: redis://me:" PASSWORD "@cache:6379/0\n"
                           "ledger:\n"
                           "  durability: batch\n"
                           "channels:\n"
                           "  - name: oncall\n"
                           "    type: slack\n"
                           "    url: https://hooks.example/services/T0/verysecret\n"
                           "    signing_secret: abcdef\n"
                           "    token_file: tokens\n";

static struct json *read_settings(struct buffer *out)
{
    struct config config = {.folder = "/nowhere",
                            .contract_file = "none",
                            .features_file = "none",
                            .rules_file = "none",
                            .listen_score = "x:1",
                            .workers = 160};
    const struct settings_given given[] = {{"listen_score", "--listen-score", "127.0.0.1:2"},
                                           {"listen", "--listen", NULL},
                                           {NULL, NULL, NULL}};
    struct error error;
    struct json *json = NULL;
    buffer_init(out, 1u << 20);
    assert_int_equal(yaml_load_text("binnacle.yaml", slice_of(text), &config.yaml, &error),
                     STATUS_OK);
    settings_json(&config, given, out);
    yaml_destroy(config.yaml);
    assert_int_equal(json_parse(buffer_slice(out), &json, &error), STATUS_OK);
    return json;
}

static const struct json *find(const struct json *json, const char *key)
{
    const struct json *found = NULL;
    for (const struct json *item = json_first(json_get(json, "settings")); item;
         item = json_next(item))
        if (strcmp(json_as_text(json_get(item, "key"), ""), key) == 0) {
            assert_null(found);
            found = item;
        }
    if (!found)
        fail_msg("there is no %s", key);
    return found;
}

static void expect(const struct json *json, const char *key, const char *value, const char *from,
                   int line)
{
    const struct json *found = find(json, key);
    assert_string_equal(json_as_text(json_get(found, "value"), "null"), value);
    assert_string_equal(json_as_text(json_get(found, "from"), ""), from);
    assert_int_equal((int)json_as_number(json_get(found, "line"), 0), line);
}

static void every_value_has_the_place_it_came_from(void **state)
{
    (void)state;
    struct buffer out;
    struct json *json = read_settings(&out);
    expect(json, "service", "fraud", "file", 1);
    expect(json, "ledger.durability", "batch", "file", 5);
    expect(json, "channels[oncall].type", "slack", "file", 8);
    expect(json, "workers", "160", "default", 0);
    expect(json, "listen_score", "127.0.0.1:2", "command line", 0);
    expect(json, "listen", "127.0.0.1:1", "file", 2);
    json_destroy(json);
    buffer_free(&out);
}

static void secrets_are_never_shown(void **state)
{
    (void)state;
    struct buffer out;
    struct json *json = read_settings(&out);
    assert_null(strstr(out.data, PASSWORD));
    assert_null(strstr(out.data, "verysecret"));
    assert_null(strstr(out.data, "abcdef"));
    expect(json, "online_store", "redis://cache:6379/0", "file", 3);
    expect(json, "channels[oncall].url", "https://hooks.example/…", "file", 9);
    expect(json, "channels[oncall].token_file", "tokens", "file", 11);
    assert_true(
        json_as_bool(json_get(find(json, "channels[oncall].signing_secret"), "secret"), false));
    json_destroy(json);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_the_place_it_came_from),
        cmocka_unit_test(secrets_are_never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
