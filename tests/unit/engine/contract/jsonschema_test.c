/* The JSON Schema of the transactions contract, member by member. That a validator by others takes
 * and refuses the same events with it is tested in tests/integration/contract_schema.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/json.h"
#include "engine/contract/jsonschema.h"

static void says_what_the_contract_says(void **state)
{
    (void)state;
    struct contract *contract;
    struct error error;
    struct buffer out;
    struct json *json;
    buffer_init(&out, 1 << 20);
    if (contract_load("packaging/examples/transactions/contract.yaml", &contract, &error))
        fail_msg("%s", error.message);
    contract_json_schema(contract, &out);
    assert_false(out.overflow);
    assert_int_equal(json_parse(buffer_slice(&out), &json, NULL), STATUS_OK);
    static const char *const parts[] = {
        "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"",
        "\"$id\":\"urn:binnacle:contract:transactions:1\"",
        "\"event_id\":{\"description\":\"ULID of the transaction\",\"type\":\"string\","
        "\"pattern\":\"^[0-7][0-9A-HJKMNP-TV-Z]{25}$\"}",
        "\"type\":\"string\",\"maxLength\":64,\"pattern\":\"^(?:user-[0-9]+)$\",\"x-pii\":true}",
        "\"type\":\"number\",\"minimum\":0,\"maximum\":5000}",
        "\"enum\":[\"US\",\"CA\",\"GB\",\"DE\",\"FR\",\"IN\",\"BR\"]",
        "\"type\":[\"string\",\"number\"],\"format\":\"date-time\",\"x-max-future-s\":60}",
        "\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":1}",
        "\"required\":[\"event_id\",\"user_id\",\"transaction_amount\",\"country\",\"device\","
        "\"event_ts\"],\"additionalProperties\":true",
        "\"x-roles\":{\"id\":\"event_id\",\"time\":\"event_ts\",\"label\":\"label\","
        "\"entity\":\"user_id\"},\"x-unique-within-s\":604800",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(out.data, parts[i]))
            fail_msg("%s\nis not in\n%s", parts[i], out.data);
    json_destroy(json);
    buffer_free(&out);
    contract_destroy(contract);
}

static void lets_null_through_enums_of_nullable_fields(void **state)
{
    (void)state;
    static const char yaml[] =
        "name: t\nversion: \"2 (draft)\"\nadditional_fields: false\nfields:\n"
        "  - {name: id, type: string}\n"
        "  - {name: ts, type: timestamp}\n"
        "  - {name: c, type: int, enum: [1, 2], nullable: true}\n"
        "roles: {id: id, time: ts}\n"
        "checks: [{name: one, expr: c == 1}, {name: two, expr: events() > 1, over: 1m}]\n";
    struct contract *contract;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(contract_load_text("c", slice_of(yaml), &contract, NULL), STATUS_OK);
    contract_json_schema(contract, &out);
    assert_non_null(strstr(out.data, "\"enum\":[1,2,null]"));
    assert_non_null(strstr(out.data, "urn:binnacle:contract:t:2--draft-"));
    assert_non_null(strstr(out.data, "\"additionalProperties\":false"));
    assert_non_null(strstr(out.data,
                           "\"x-checks\":[{\"name\":\"one\",\"expr\":\"c == 1\"},"
                           "{\"name\":\"two\",\"expr\":\"events() > 1\",\"over_s\":60}]"));
    buffer_free(&out);
    contract_destroy(contract);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_contract_says),
        cmocka_unit_test(lets_null_through_enums_of_nullable_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
