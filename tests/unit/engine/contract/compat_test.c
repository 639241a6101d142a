/* Every kind of change between two versions of a contract, and whom it breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/contract/compat.h"

#define HEAD  "name: t\nversion: 1\n"
#define ID_TS "fields:\n  - {name: id, type: string}\n  - {name: ts, type: timestamp}\n"
#define ROLES "roles: {id: id, time: ts}\n"

static struct contract *load(const char *field, const char *rest)
{
    char yaml[1000];
    struct contract *contract;
    struct error error;
    (void)snprintf(yaml, sizeof yaml, HEAD ID_TS "%s%s%s" ROLES "%s\n", field[0] ? "  - " : "",
                   field, field[0] ? "\n" : "", rest);
    if (contract_load_text("c", slice_of(yaml), &contract, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return contract;
}

static const struct {
    const char *last, *next; /* one field */
    const char *change;
    bool backward, forward;
} changes[] = {
    {"{name: a, type: float}", "", "field_removed", false, true},
    {"{name: a, type: float, required: false}", "", "field_removed", false, false},
    {"", "{name: a, type: float}", "field_added", true, false},
    {"", "{name: a, type: float, required: false}", "field_added", false, false},
    {"{name: a, type: float}", "{name: a, type: string}", "type_changed", true, true},
    {"{name: a, type: int}", "{name: a, type: float}", "type_changed", false, true},
    {"{name: a, type: float}", "{name: a, type: int}", "type_changed", true, false},
    {"{name: a, type: int}", "{name: a, type: int, required: false}", "now_optional", false, true},
    {"{name: a, type: int, required: false}", "{name: a, type: int}", "now_required", true, false},
    {"{name: a, type: int}", "{name: a, type: int, nullable: true}", "now_nullable", false, true},
    {"{name: a, type: int, nullable: true}", "{name: a, type: int}", "not_nullable_now", true,
     false},
    {"{name: a, type: string}", "{name: a, type: string, pii: true}", "pii_changed", false, true},
    {"{name: a, type: int}", "{name: a, type: int, min: 0}", "range_narrowed", true, false},
    {"{name: a, type: int, min: 0}", "{name: a, type: int, min: -1}", "range_widened", false, true},
    {"{name: a, type: int, max: 10}", "{name: a, type: int, max: 9}", "range_narrowed", true,
     false},
    {"{name: a, type: int, max: 10}", "{name: a, type: int}", "range_widened", false, true},
    {"{name: a, type: string, max_length: 9}", "{name: a, type: string, max_length: 8}",
     "range_narrowed", true, false},
    {"{name: a, type: string, min_length: 2}", "{name: a, type: string}", "range_widened", false,
     true},
    {"{name: a, type: string, enum: [x, y]}", "{name: a, type: string, enum: [y]}", "enum_narrowed",
     true, false},
    {"{name: a, type: string, enum: [x, y]}", "{name: a, type: string, enum: [z, y, x]}",
     "enum_widened", false, true},
    {"{name: a, type: int, enum: [1]}", "{name: a, type: int, enum: [1, 2]}", "enum_widened", false,
     true},
    {"{name: a, type: string}", "{name: a, type: string, enum: [x]}", "enum_added", true, false},
    {"{name: a, type: string, enum: [x]}", "{name: a, type: string}", "enum_removed", false, true},
    {"{name: a, type: string}", "{name: a, type: string, pattern: x+}", "pattern_added", true,
     false},
    {"{name: a, type: string, pattern: x+}", "{name: a, type: string}", "pattern_removed", false,
     true},
    {"{name: a, type: string, pattern: x+}", "{name: a, type: string, pattern: x*}",
     "pattern_changed", true, true},
    {"{name: a, type: string}", "{name: a, type: string, format: ulid}", "format_changed", true,
     false},
    {"{name: a, type: timestamp}", "{name: a, type: timestamp, max_future: 1m}", "future_narrowed",
     true, false},
    {"{name: a, type: timestamp, max_future: 1m}", "{name: a, type: timestamp, max_future: 2m}",
     "future_widened", false, true},
};

static void says_whom_each_change_breaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct contract *last = load(changes[i].last, "");
        struct contract *next = load(changes[i].next, "");
        struct compat_report report;
        assert_int_equal(compat_compare(last, next, &report, NULL), STATUS_OK);
        if (report.n_findings != 1 || strcmp(report.findings[0].change, changes[i].change) != 0)
            fail_msg("%s: %zu findings, first %s", changes[i].change, report.n_findings,
                     report.n_findings ? report.findings[0].change : "none");
        const struct compat_finding *finding = &report.findings[0];
        if (finding->breaks_backward != changes[i].backward ||
            finding->breaks_forward != changes[i].forward)
            fail_msg("case %zu, %s: breaks backward %d, forward %d", i, changes[i].change,
                     finding->breaks_backward, finding->breaks_forward);
        assert_string_equal(finding->field, "a");
        assert_int_equal(compat_breaks(&report, COMPAT_BACKWARD), changes[i].backward);
        assert_int_equal(compat_breaks(&report, COMPAT_FORWARD), changes[i].forward);
        assert_int_equal(compat_breaks(&report, COMPAT_FULL),
                         changes[i].backward || changes[i].forward);
        compat_free(&report);
        contract_destroy(last);
        contract_destroy(next);
    }
}

static void finds_changes_of_the_whole(void **state)
{
    (void)state;
    struct contract *last = load("{name: a, type: string}", "unique: {within: 7d}");
    struct contract *next =
        load("{name: a, type: string}", "unique: {within: 8d}\nadditional_fields: false");
    struct compat_report report;
    assert_int_equal(compat_compare(last, next, &report, NULL), STATUS_OK);
    assert_int_equal(report.n_findings, 2);
    assert_int_equal(compat_breaks(&report, COMPAT_BACKWARD), 2);
    compat_free(&report);
    assert_int_equal(compat_compare(last, last, &report, NULL), STATUS_OK);
    assert_int_equal(report.n_findings, 0);
    compat_free(&report);
    contract_destroy(last);
    contract_destroy(next);
}

static void knows_its_modes_by_name(void **state)
{
    (void)state;
    enum compat_mode mode;
    assert_true(compat_mode_parse("forward", &mode));
    assert_int_equal(mode, COMPAT_FORWARD);
    assert_false(compat_mode_parse("sideways", &mode));
    assert_string_equal(compat_mode_name(COMPAT_FULL), "full");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_whom_each_change_breaks),
        cmocka_unit_test(finds_changes_of_the_whole),
        cmocka_unit_test(knows_its_modes_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
