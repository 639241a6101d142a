/* Synthetic transactions as bytes: good ones, and ones that are wrong in exactly one way. */
#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/event/numeral.h"
#include "engine/event/producer_priv.h"

static const char *const countries[PRODUCER_COUNTRIES] = {"US", "GB", "IN", "DE", "FR", "CA", "BR"};
static const char *const devices[PRODUCER_DEVICES] = {"ios", "android", "web"};

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void producer_ulid(struct chance *chance, int64_t time_us, char out[27])
{
    uint64_t ms = (uint64_t)(time_us / 1000);
    for (int i = 9; i >= 0; i--) {
        out[i] = crockford[ms & 31];
        ms >>= 5;
    }
    for (int half = 0; half < 2; half++) {
        uint64_t bits = chance_bits(chance);
        for (int i = 0; i < 8; i++) {
            out[10 + 8 * half + i] = crockford[bits & 31];
            bits >>= 5;
        }
    }
    out[26] = '\0';
}

/* The members' values as JSON text, in the contract's order; "" leaves a member out. */
enum { ID, USER, AMOUNT, COUNTRY, DEVICE, TIME, LABEL, MEMBERS };
static const char *const names[MEMBERS] = {
    "event_id", "user_id", "transaction_amount", "country", "device", "event_ts", "label"};

#define VALUE_SIZE 100
struct members {
    char value[MEMBERS][VALUE_SIZE];
};

static char *put(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static void put_quoted(char *at, const char *before, const char *text)
{
    *at++ = '"';
    at = put(put(at, before), text);
    *at++ = '"';
    *at = '\0';
}

static void describe(const struct draft *draft, const char *event_id, struct members *members)
{
    char text[NUMBER_TEXT_SIZE + TIME_TEXT_SIZE];
    put_quoted(members->value[ID], "", event_id);
    *numeral_write((double)draft->user, text) = '\0';
    put_quoted(members->value[USER], "user-", text);
    *numeral_write(draft->amount, members->value[AMOUNT]) = '\0';
    put_quoted(members->value[COUNTRY], "", countries[draft->country]);
    put_quoted(members->value[DEVICE], "", devices[draft->device]);
    put_quoted(members->value[TIME], "", time_format(draft->time_us, text));
    *put(members->value[LABEL], "null") = '\0';
}

static size_t assemble(const struct members *members, char *out)
{
    char *at = out;
    *at++ = '{';
    for (int i = 0; i < MEMBERS; i++) {
        if (!members->value[i][0])
            continue;
        if (at > out + 1)
            *at++ = ',';
        *at++ = '"';
        at = put(at, names[i]);
        at = put(at, "\":");
        at = put(at, members->value[i]);
    }
    *at++ = '}';
    return (size_t)(at - out);
}

size_t producer_json(const struct draft *draft, const char *event_id, char out[PRODUCER_JSON_SIZE])
{
    struct members members;
    describe(draft, event_id, &members);
    return assemble(&members, out);
}

/* Ways to be wrong that are one member's other value. */
static const struct {
    enum violation_code code;
    int member;
    const char *value;
} wrong_values[] = {
    {VIOLATION_NOT_UTF8, DEVICE, "\"ios\xFF\""},
    {VIOLATION_NESTED, COUNTRY, "[\"US\"]"},
    {VIOLATION_MISSING, USER, ""},
    {VIOLATION_MISSING, AMOUNT, ""},
    {VIOLATION_MISSING, COUNTRY, ""},
    {VIOLATION_NULL, DEVICE, "null"},
    {VIOLATION_NULL, AMOUNT, "null"},
    {VIOLATION_TYPE, AMOUNT, "\"12.50\""},
    {VIOLATION_TYPE, USER, "17"},
    {VIOLATION_NOT_FINITE, AMOUNT, "1e400"},
    {VIOLATION_RANGE, AMOUNT, "-3.5"},
    {VIOLATION_RANGE, AMOUNT, "5000.01"},
    {VIOLATION_RANGE, LABEL, "2"},
    {VIOLATION_ENUM, COUNTRY, "\"XX\""},
    {VIOLATION_ENUM, DEVICE, "\"fridge\""},
    {VIOLATION_PATTERN, USER, "\"guest\""},
    {VIOLATION_LENGTH, USER,
     "\"user-00000000000000000000000000000000000000000000000000000000000001\""},
    {VIOLATION_ULID, ID, "\"81ARZ3NDEKTSV4RRFFQ69G5FAV\""},
    {VIOLATION_ULID, ID, "\"01ARZ3NDEKTSV4RRFFQ69G5FAU\""},
    {VIOLATION_TIMESTAMP, TIME, "\"yesterday\""},
};
#define N_WRONG_VALUES ((int)(sizeof wrong_values / sizeof wrong_values[0]))

/* Ways to be wrong that need more than a value. */
enum { CUT_OFF, KEY_TWICE, IN_THE_FUTURE, ID_AGAIN, OTHER_WAYS };

#define FUTURE_US US_PER_HOUR

size_t producer_bad_json(struct chance *chance, const struct draft *draft, char event_id[27],
                         const char *earlier_id, char out[PRODUCER_JSON_SIZE],
                         enum violation_code *bad)
{
    struct members members;
    struct draft changed = *draft;
    int way = chance_below(chance, N_WRONG_VALUES + OTHER_WAYS);
    if (way == ID_AGAIN && !earlier_id[0])
        way = KEY_TWICE;
    if (way == ID_AGAIN)
        memcpy(event_id, earlier_id, 27);
    if (way == IN_THE_FUTURE)
        changed.time_us += FUTURE_US;
    describe(&changed, event_id, &members);
    if (way >= OTHER_WAYS) {
        char *value = members.value[wrong_values[way - OTHER_WAYS].member];
        *put(value, wrong_values[way - OTHER_WAYS].value) = '\0';
        *bad = wrong_values[way - OTHER_WAYS].code;
    }
    if (way == KEY_TWICE)
        *put(members.value[LABEL], "null,\"country\":\"GB\"") = '\0';
    size_t size = assemble(&members, out);
    switch (way) {
    case CUT_OFF:
        size -= (size_t)(1 + chance_below(chance, 40));
        *bad = VIOLATION_NOT_JSON;
        break;
    case KEY_TWICE:
        *bad = VIOLATION_DUPLICATE_KEY;
        break;
    case IN_THE_FUTURE:
        *bad = VIOLATION_FUTURE;
        break;
    case ID_AGAIN:
        *bad = VIOLATION_DUPLICATE_ID;
        break;
    default:
        break;
    }
    return size;
}
