/* Any text as contract.yaml: refused with a place, or a contract that judges, exports a schema that
 * is JSON, and is compatible with itself. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/contract/compat.h"
#include "engine/contract/contract.h"
#include "engine/contract/jsonschema.h"
#include "engine/event/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
    (void)fprintf(stderr, "contract_fuzz: %s\n", what);
    abort();
}

static void judge_events(const struct contract *contract)
{
    static const char *const events[] = {
        "{}",
        "{\"id\":\"a\",\"ts\":1,\"amount\":5,\"country\":\"US\",\"user_id\":\"user-1\"}",
        "{\"event_id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"user_id\":\"user-1\",\"label\":null,"
        "\"transaction_amount\":5,\"country\":\"US\",\"device\":\"ios\","
        "\"event_ts\":\"2026-01-02T03:04:05Z\"}",
    };
    struct decoder *decoder;
    struct arena *arena = arena_create(1 << 20);
    if (decoder_create(contract_schema(contract), contract_additional_fields(contract), &decoder,
                       NULL) != STATUS_OK)
        fail("no decoder for a contract that was accepted");
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct event event = {0};
        decoder_json(decoder, slice_of(events[i]), arena, &event);
        contract_check(contract, &event, INT64_MIN, CONTRACT_EVENT);
        contract_check(contract, &event, INT64_MAX, CONTRACT_WALL);
    }
    decoder_destroy(decoder);
    arena_destroy(arena);
}

static void export_schema(const struct contract *contract)
{
    struct buffer out;
    struct json *json;
    buffer_init(&out, 16 << 20);
    contract_json_schema(contract, &out);
    /* What a YAML string may hold and cJSON may not (U+0000) is left out. */
    if (!out.overflow && !strstr(out.data, "\\u0000")) {
        struct error error;
        if (json_parse(buffer_slice(&out), &json, &error) != STATUS_OK)
            fail(error.message);
        json_destroy(json);
    }
    buffer_free(&out);
}

static void compare_with_itself(const struct contract *contract)
{
    struct compat_report report;
    if (compat_compare(contract, contract, &report, NULL) != STATUS_OK || report.n_findings != 0)
        fail("a contract differs from itself");
    compat_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contract *contract;
    struct error error = {0};
    if (contract_load_text("c.yaml", slice_make(data, size), &contract, &error) != STATUS_OK) {
        if (!error.message[0] || contract)
            fail("refused without a word");
        return 0;
    }
    judge_events(contract);
    export_schema(contract);
    compare_with_itself(contract);
    contract_destroy(contract);
    return 0;
}
