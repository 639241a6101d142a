/* What is told of the difference between two JSON texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ui/web/delta.h"

static void expect(const char *old, const char *new, const char *changes)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_true(delta_write(slice_of(old), slice_of(new), &out));
    assert_string_equal(out.data, changes);
    buffer_free(&out);
}

static void tells_nothing_of_what_stayed(void **state)
{
    (void)state;
    expect("{}", "{}", "[]");
    expect("{\"a\":[1,{\"b\":\"x\"}]}", "{\"a\":[1,{\"b\":\"x\"}]}", "[]");
}

static void names_the_place_of_what_changed(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", "[[\"/b\",3]]");
    expect("{\"a\":{\"b\":[{\"c\":1},{\"c\":null}]}}", "{\"a\":{\"b\":[{\"c\":1},{\"c\":\"y\"}]}}",
           "[[\"/a/b/1/c\",\"y\"]]");
    expect("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", "[[\"/a\",2],[\"/b\",1]]");
    expect("{\"a/b~c\":1}", "{\"a/b~c\":2}", "[[\"/a~1b~0c\",2]]");
    expect("{\"q\":\"]}\\\",\"}", "{\"q\":\"[{\"}", "[[\"/q\",\"[{\"]]");
}

static void tells_whole_what_has_other_members_or_parts(void **state)
{
    (void)state;
    expect("{\"a\":{\"b\":1}}", "{\"a\":{\"c\":1}}", "[[\"/a\",{\"c\":1}]]");
    expect("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}", "[[\"/a\",{\"b\":1,\"c\":2}]]");
    expect("{\"a\":[{}]}", "{\"a\":[{},{}]}", "[[\"/a\",[{},{}]]]");
    expect("{\"a\":[]}", "{\"a\":[1]}", "[[\"/a\",[1]]]");
    expect("{\"a\":[1]}", "{\"a\":null}", "[[\"/a\",null]]");
    expect("[1]", "{\"a\":1}", "[[\"\",{\"a\":1}]]");
}

static void tells_how_far_a_list_moved_on(void **state)
{
    (void)state;
    expect("{\"p\":[1,2,3,4]}", "{\"p\":[2,3,4,5]}", "[[\"/p\",1,[5]]]");
    expect("{\"p\":[1,2,null,4]}", "{\"p\":[null,4,5,6]}", "[[\"/p\",2,[5,6]]]");
    expect("{\"p\":[1,2,3]}", "{\"p\":[9,8,7]}", "[[\"/p\",[9,8,7]]]");
    expect("{\"p\":[1,2]}", "{\"p\":[1,3]}", "[[\"/p\",[1,3]]]");
    expect("{\"p\":[12,3]}", "{\"p\":[31,5]}", "[[\"/p\",[31,5]]]");
}

static void gives_up_on_a_place_that_is_too_long(void **state)
{
    (void)state;
    char old[1200], new[1200];
    struct buffer out;
    buffer_init(&out, 1 << 20);
    snprintf(old, sizeof old, "{\"%0600d\":1}", 7);
    snprintf(new, sizeof new, "{\"%0600d\":2}", 7);
    assert_false(delta_write(slice_of(old), slice_of(new), &out));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_nothing_of_what_stayed),
        cmocka_unit_test(names_the_place_of_what_changed),
        cmocka_unit_test(tells_whole_what_has_other_members_or_parts),
        cmocka_unit_test(tells_how_far_a_list_moved_on),
        cmocka_unit_test(gives_up_on_a_place_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
