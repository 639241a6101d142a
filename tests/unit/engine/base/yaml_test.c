/* Reading YAML and configuration tables: what is kept, and where errors point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/buffer.h"
#include "engine/base/yaml.h"

static struct yaml *load(const char *text)
{
    struct yaml *yaml = NULL;
    struct error error = {0};
    if (yaml_load_text("t.yaml", slice_of(text), &yaml, &error))
        fail_msg("%s", error.message);
    return yaml;
}

static void assert_refused(const char *text, const char *message)
{
    struct yaml *yaml = NULL;
    struct error error = {0};
    assert_int_equal(yaml_load_text("t.yaml", slice_of(text), &yaml, &error), STATUS_INVALID);
    assert_null(yaml);
    assert_string_equal(error.message, message);
}

static void keeps_structure_and_text(void **state)
{
    (void)state;
    struct yaml *yaml = load("name: fraud\nitems:\n  - a\n  - 'b c'\n  - {x: 1, y: [2, 3]}\n"
                             "text: |\n  two\n  lines\nquoted: \"a\\nb\"\n");
    const struct yaml_node *root = yaml_root(yaml);
    assert_int_equal(yaml_kind(root), YAML_MAP);
    assert_int_equal(yaml_size(root), 4);
    assert_string_equal(yaml_key(root, 1), "items");
    assert_null(yaml_key(root, 4));
    assert_null(yaml_item(root, 4));
    assert_string_equal(yaml_text(yaml_get(root, "name")), "fraud");
    const struct yaml_node *items = yaml_get(root, "items");
    assert_int_equal(yaml_kind(items), YAML_LIST);
    assert_int_equal(yaml_size(items), 3);
    assert_string_equal(yaml_text(items), "");
    assert_string_equal(yaml_text(yaml_item(items, 1)), "b c");
    assert_false(yaml_is_plain(yaml_item(items, 1)));
    const struct yaml_node *inner = yaml_item(items, 2);
    assert_string_equal(yaml_text(yaml_item(yaml_get(inner, "y"), 1)), "3");
    assert_string_equal(yaml_text(yaml_get(root, "text")), "two\nlines\n");
    assert_string_equal(yaml_text(yaml_get(root, "quoted")), "a\nb");
    assert_null(yaml_get(root, "absent"));
    assert_null(yaml_get(items, "name"));
    yaml_destroy(yaml);
}

static void assert_place(const struct yaml_node *node, int line, int column)
{
    assert_int_equal(yaml_line(node), line);
    assert_int_equal(yaml_column(node), column);
}

static void remembers_places(void **state)
{
    (void)state;
    struct yaml *yaml = load("a: 1\nb:\n  - x\n  -   k: v\n      m: [p, q]\nempty:\nlast: 'z'\n");
    const struct yaml_node *root = yaml_root(yaml);
    assert_place(root, 1, 1);
    assert_place(yaml_get(root, "a"), 1, 4);
    assert_place(yaml_get(root, "b"), 3, 3);
    assert_place(yaml_key_node(root, 1), 2, 1);
    const struct yaml_node *map = yaml_item(yaml_get(root, "b"), 1);
    assert_place(map, 4, 7);
    assert_place(yaml_get(map, "m"), 5, 10);
    assert_place(yaml_item(yaml_get(map, "m"), 1), 5, 14);
    assert_place(yaml_get(root, "last"), 7, 7);
    assert_int_equal(yaml_line(yaml_get(root, "empty")), 6);
    yaml_destroy(yaml);
}

static void gives_empty_items_a_place(void **state)
{
    (void)state;
    struct yaml *yaml = load("a:\n  - x\n  -\n  - y\n");
    const struct yaml_node *list = yaml_get(yaml_root(yaml), "a");
    assert_int_equal(yaml_size(list), 3);
    assert_true(yaml_is_null(yaml_item(list, 1)));
    assert_true(yaml_line(yaml_item(list, 1)) >= 2 && yaml_line(yaml_item(list, 1)) <= 3);
    assert_place(yaml_item(list, 2), 4, 5);
    yaml_destroy(yaml);
}

static void knows_nulls(void **state)
{
    (void)state;
    struct yaml *yaml = load("a: ~\nb: null\nc:\nd: 'null'\ne: \"\"\nf: []\n");
    const struct yaml_node *root = yaml_root(yaml);
    assert_true(yaml_is_null(yaml_get(root, "a")));
    assert_true(yaml_is_null(yaml_get(root, "b")));
    assert_true(yaml_is_null(yaml_get(root, "c")));
    assert_false(yaml_is_null(yaml_get(root, "d")));
    assert_false(yaml_is_null(yaml_get(root, "e")));
    assert_false(yaml_is_null(yaml_get(root, "f")));
    yaml_destroy(yaml);
}

static void has_no_root_when_empty(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "# only a comment\n", "---\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct yaml *yaml = load(texts[i]);
        assert_null(yaml_root(yaml));
        yaml_destroy(yaml);
    }
}

static void refuses_what_configuration_has_no_use_for(void **state)
{
    (void)state;
    assert_refused("a: &x 1\n", "t.yaml:1:4: anchors and tags are not used in this file");
    assert_refused("a: !!str 1\n", "t.yaml:1:4: anchors and tags are not used in this file");
    assert_refused("a: 1\nb: *x\n", "t.yaml:2:4: aliases are not used in this file");
    assert_refused("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: key \"a\" was already given on line 1");
    assert_refused("? [a, b]\n: c\n", "t.yaml:1:3: a key must be a word");
    assert_refused("a: \"x\\0y\"\n", "t.yaml:1:4: a zero byte in the text");
    assert_refused("a: 1\nb: x\xff\n", "t.yaml:2:5: a byte that is not UTF-8");
    assert_refused("a: \x01\n", "t.yaml:1:4: a control character");
    assert_refused("a: \x7f\n", "t.yaml:1:4: a control character");
    assert_refused("\xc3\xa9: \xc2\x85\n", "t.yaml:1:4: a control character");
    assert_refused("a: 1\n---\nb: 2\n", "t.yaml:2:1: only one document belongs in this file");
}

static void refuses_bad_syntax_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } bad[] = {{"a: [1, 2\n", "t.yaml:2:1: "},
               {"a: 1\n b: 2\n", "t.yaml:2:3: "},
               {"a: \"open\n", "t.yaml:"},
               {"a: b: c\n", "t.yaml:1:"},
               {"- a\nb: c\n", "t.yaml:"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct yaml *yaml;
        struct error error = {0};
        assert_int_equal(yaml_load_text("t.yaml", slice_of(bad[i].text), &yaml, &error),
                         STATUS_INVALID);
        assert_memory_equal(error.message, bad[i].place, strlen(bad[i].place));
    }
}

/* YAML libraries have looped on such a directive. */
static void refuses_what_is_not_utf8_with_its_place(void **state)
{
    (void)state;
    assert_refused("name: t\n%a\xff\n", "t.yaml:2:3: a byte that is not UTF-8");
}

static void refuses_depth_beyond_the_limit(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 4096);
    for (int i = 0; i < 65; i++)
        buffer_append_char(&text, '[');
    for (int i = 0; i < 65; i++)
        buffer_append_char(&text, ']');
    struct yaml *yaml;
    struct error error = {0};
    assert_int_equal(yaml_load_text("t.yaml", buffer_slice(&text), &yaml, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "t.yaml:1:"));
    buffer_free(&text);
}

static void names_a_file_that_is_not_there(void **state)
{
    (void)state;
    struct yaml *yaml;
    struct error error = {0};
    assert_int_equal(yaml_load_file("/nonexistent/x.yaml", &yaml, &error), STATUS_NOT_FOUND);
    assert_string_equal(error.message, "/nonexistent/x.yaml: No such file or directory");
    assert_int_equal(yaml_load_file("/", &yaml, &error), STATUS_IO);
}

struct options {
    const char *name;
    double ratio;
    int64_t count;
    bool on;
    int64_t wait_us;
    const struct yaml_node *list;
};

static const struct config_key keys[] = {
    {"name", CONFIG_STRING, offsetof(struct options, name), true, 0, 0, "what it is called"},
    {"ratio", CONFIG_NUMBER, offsetof(struct options, ratio), false, 0, 1, "share"},
    {"count", CONFIG_INT, offsetof(struct options, count), false, 1, 10, "how many"},
    {"on", CONFIG_BOOL, offsetof(struct options, on), false, 0, 0, "whether"},
    {"wait", CONFIG_DURATION, offsetof(struct options, wait_us), false, 1, 60, "how long"},
    {"list", CONFIG_NODE, offsetof(struct options, list), false, 0, 0, "which"},
    {.name = NULL},
};

static void reads_a_map_by_its_table(void **state)
{
    (void)state;
    struct yaml *yaml = load("name: \"7\"\nratio: 2.5e-1\ncount: 3\non: true\nwait: 1.5s\n"
                             "list: [a]\n");
    struct options options = {0};
    struct error error = {0};
    assert_int_equal(config_read(yaml_root(yaml), keys, &options, &error), STATUS_OK);
    assert_string_equal(options.name, "7");
    assert_true(options.ratio == 0.25);
    assert_int_equal(options.count, 3);
    assert_true(options.on);
    assert_int_equal(options.wait_us, 1500000);
    assert_int_equal(yaml_size(options.list), 1);
    yaml_destroy(yaml);
}

static void keeps_defaults_of_absent_and_null_keys(void **state)
{
    (void)state;
    struct yaml *yaml = load("name: x\ncount:\non: ~\n");
    struct options options = {.count = 5, .on = true, .ratio = 0.5};
    struct error error = {0};
    assert_int_equal(config_read(yaml_root(yaml), keys, &options, &error), STATUS_OK);
    assert_int_equal(options.count, 5);
    assert_true(options.on);
    assert_true(options.ratio == 0.5);
    yaml_destroy(yaml);
}

static void names_place_and_nearest_key_of_each_mistake(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"name: x\ncuont: 3\n", "t.yaml:2:1: unknown key \"cuont\"; did you mean \"count\"?"},
        {"name: x\n\n  # note\nzebra: 3\n",
         "t.yaml:4:1: unknown key \"zebra\"; known keys: name, ratio, count, on, wait, list"},
        {"count: 3\n", "t.yaml:1:1: missing key \"name\" (what it is called)"},
        {"name: ~\n", "t.yaml:1:1: missing key \"name\" (what it is called)"},
        {"name: [x]\n", "t.yaml:1:7: expected text, found a list"},
        {"name: x\ncount: many\n", "t.yaml:2:8: expected an integer, found \"many\""},
        {"name: x\ncount: '3'\n", "t.yaml:2:8: expected an integer, found \"3\" in quotes"},
        {"name: x\ncount: 3.5\n", "t.yaml:2:8: expected an integer, found \"3.5\""},
        {"name: x\ncount: 11\n", "t.yaml:2:8: count must be from 1 to 10, found 11"},
        {"name: x\nratio: -0.1\n", "t.yaml:2:8: ratio must be from 0 to 1, found -0.1"},
        {"name: x\nratio: .nan\n", "t.yaml:2:8: expected a number, found \".nan\""},
        {"name: x\nratio: nan\n", "t.yaml:2:8: expected a number, found \"nan\""},
        {"name: x\nratio: {a: 1}\n", "t.yaml:2:8: expected a number, found a map"},
        {"name: x\non: yes\n", "t.yaml:2:5: expected true or false, found \"yes\""},
        {"name: x\nwait: 5\n", "t.yaml:2:7: expected a duration such as 250ms, 90s, 5m, 12h, 7d "
                               "or 2w, found \"5\""},
        {"name: x\nwait: 2m\n", "t.yaml:2:7: wait must be from 1s to 60s, found 2m"},
        {"- name\n", "t.yaml:1:1: expected a map of keys and values, found a list"},
        {"", "missing key \"name\" (what it is called)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct yaml *yaml = load(bad[i].text);
        struct options options = {0};
        struct error error = {0};
        assert_int_equal(config_read(yaml_root(yaml), keys, &options, &error), STATUS_INVALID);
        assert_string_equal(error.message, bad[i].message);
        yaml_destroy(yaml);
    }
}

static void suggests_only_near_words(void **state)
{
    (void)state;
    static const char *const words[] = {"amount", "country", "device", "id"};
    static const struct {
        const char *word, *nearest;
    } table[] = {{"amonut", "amount"}, {"amount", "amount"},     {"contry", "country"},
                 {"devise", "device"}, {"temperature", NULL},    {"", NULL},
                 {"di", "id"},         {"countries", "country"}, {"xy", NULL}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *nearest = nearest_word(table[i].word, words, 4);
        if (table[i].nearest)
            assert_string_equal(nearest, table[i].nearest);
        else
            assert_null(nearest);
    }
}

static void suggests_the_nearest_word_or_nothing(void **state)
{
    (void)state;
    assert_string_equal(did_you_mean("amount").text, "; did you mean \"amount\"?");
    assert_string_equal(did_you_mean(NULL).text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_structure_and_text),
        cmocka_unit_test(remembers_places),
        cmocka_unit_test(gives_empty_items_a_place),
        cmocka_unit_test(knows_nulls),
        cmocka_unit_test(has_no_root_when_empty),
        cmocka_unit_test(refuses_what_configuration_has_no_use_for),
        cmocka_unit_test(refuses_bad_syntax_with_its_place),
        cmocka_unit_test(refuses_what_is_not_utf8_with_its_place),
        cmocka_unit_test(refuses_depth_beyond_the_limit),
        cmocka_unit_test(names_a_file_that_is_not_there),
        cmocka_unit_test(reads_a_map_by_its_table),
        cmocka_unit_test(keeps_defaults_of_absent_and_null_keys),
        cmocka_unit_test(names_place_and_nearest_key_of_each_mistake),
        cmocka_unit_test(suggests_the_nearest_word_or_nothing),
        cmocka_unit_test(suggests_only_near_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
