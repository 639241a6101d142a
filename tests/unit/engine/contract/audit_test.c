/* Counting what a data file breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/contract/audit.h"

static struct contract *transactions(void)
{
    struct contract *contract;
    struct error error;
    if (contract_load("packaging/examples/transactions/contract.yaml", &contract, &error))
        fail_msg("%s", error.message);
    return contract;
}

static void write_file(char *path, const char *text)
{
    strcpy(path, "/tmp/audit_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void counts_reasons_by_field_with_their_first_line(void **state)
{
    (void)state;
    struct contract *contract = transactions();
    struct audit audit;
    struct error error;
    char path[64];
    write_file(path, "event_id,user_id,transaction_amount,country,device,event_ts\n"
                     "01ARZ3NDEKTSV4RRFFQ69G5FA0,user-1,5,US,ios,2026-01-01T00:00:00Z\n"
                     "01ARZ3NDEKTSV4RRFFQ69G5FA0,user-1,6,US,ios,2026-01-01T00:00:00Z\n"
                     "01ARZ3NDEKTSV4RRFFQ69G5FA1,user-1,-1,XX,ios,2026-01-01T00:00:01Z\n"
                     "01ARZ3NDEKTSV4RRFFQ69G5FA2,user-1,-1,US,ios,2026-01-01T00:00:01Z\n"
                     "01ARZ3NDEKTSV4RRFFQ69G5FA3,user-1,1,US,ios,2027-01-01T00:00:01Z\n"
                     "oops\n");
    if (audit_file(contract, path, &audit, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(audit.n_events, 6);
    assert_int_equal(audit.n_accepted, 1);
    assert_int_equal(audit.n_counts, 5);
    static const struct audit_count wanted[] = {
        {2, VIOLATION_RANGE, NULL, 2, 4},     {0, VIOLATION_DUPLICATE_ID, NULL, 1, 3},
        {3, VIOLATION_ENUM, NULL, 1, 4},      {5, VIOLATION_STEP, NULL, 1, 6},
        {-1, VIOLATION_NOT_JSON, NULL, 1, 7},
    };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(audit.counts[i].code, wanted[i].code);
        assert_int_equal(audit.counts[i].field, wanted[i].field);
        assert_int_equal(audit.counts[i].n, wanted[i].n);
        assert_int_equal(audit.counts[i].first_line, wanted[i].first_line);
    }
    audit_free(&audit);
    unlink(path);
    contract_destroy(contract);
}

static void says_which_file_lacks_a_column(void **state)
{
    (void)state;
    struct contract *contract = transactions();
    struct audit audit;
    struct error error;
    char path[64];
    write_file(path, "event_id,user_id,transaction_amuont,country,device,event_ts\n");
    assert_int_equal(audit_file(contract, path, &audit, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, "\"transaction_amuont\""));
    unlink(path);
    contract_destroy(contract);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_reasons_by_field_with_their_first_line),
        cmocka_unit_test(says_which_file_lacks_a_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
