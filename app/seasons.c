/* Asks the history for whole hours and for the last quarter of one, and holds the one against the
 * other. The tick's thread. */
#include "app/seasons.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/history/answer.h"

#define HOURS_EVERY_US (10 * US_PER_MIN)
#define LOOK_EVERY_US  US_PER_MIN
#define VALUE_US       (15 * US_PER_MIN)
#define SETTLED_US     (30 * US_PER_MIN)
#define ALARM_Z        6
#define ANSWER_BYTES   (8u << 20)

/* A step below these is nobody's business, however sure it is. */
static const struct {
    const char *series;
    double least_step;  /* in its unit */
    double least_ratio; /* of the usual */
} kinds[] = {
    {"events_per_s", 0, 0.4},  {"quarantine_ratio", 0.01, 0}, {"duplicates", 0, 1},
    {"error_ratio", 0.01, 0},  {"review_ratio", 0.02, 0.3},   {"decline_ratio", 0.02, 0.3},
    {"score_mean", 0.02, 0.3}, {"latency_p99_us", 1000, 1},   {"age_mean_s", 30, 1},
};
#define N_KINDS ((int)(sizeof kinds / sizeof *kinds))

void seasons_free(struct seasons *seasons)
{
    for (int i = 0; i < MAX_SEASONS; i++)
        free(seasons->hours[i]);
    *seasons = (struct seasons){.n = 0};
}

static struct slice all_series(char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < N_KINDS; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "," : "", kinds[i].series);
    return slice_of(text);
}

/* The parsed answer, or NULL: no data. */
static struct json *ask(struct history_store *history, int64_t from_us, int64_t to_us,
                        int64_t step_us)
{
    char series[512];
    struct error error;
    struct buffer out;
    struct json *document = NULL;
    const struct history_question question = {.from_us = from_us,
                                              .to_us = to_us,
                                              .step_us = step_us,
                                              .series = all_series(series, sizeof series)};
    buffer_init(&out, ANSWER_BYTES);
    if (history_answer(history, &question, &out, &error) != STATUS_OK ||
        json_parse(buffer_slice(&out), &document, &error) != STATUS_OK)
        document = NULL;
    buffer_free(&out);
    return document;
}

static int kind_of(const char *name)
{
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].series, name) == 0)
            return i;
    }
    return -1;
}

static double point_value(const struct json *point)
{
    return json_as_number(json_item(point, 1), (double)NAN);
}

static void keep_hours(struct seasons *seasons, const struct json *series, int kind)
{
    for (int i = 0; i < SEASON_HOURS; i++)
        seasons->hours[kind][i] = (double)NAN;
    for (const struct json *point = json_first(json_get(series, "points")); point;
         point = json_next(point)) {
        double ms = json_as_number(json_item(point, 0), -1);
        int64_t hour = (int64_t)(ms / 3600e3) - seasons->first_hour;
        if (hour >= 0 && hour < SEASON_HOURS)
            seasons->hours[kind][hour] = point_value(point);
    }
}

static bool make_room(struct seasons *seasons)
{
    for (int i = 0; i < N_KINDS; i++) {
        if (!seasons->hours[i])
            seasons->hours[i] = malloc(SEASON_HOURS * sizeof(double));
        if (!seasons->hours[i])
            return false;
    }
    return true;
}

static void read_hours(struct seasons *seasons, struct history_store *history, int64_t now_us)
{
    int64_t this_hour = now_us / US_PER_HOUR;
    seasons->hours_at_us = now_us;
    seasons->first_hour = this_hour - SEASON_HOURS;
    if (!make_room(seasons))
        return;
    for (int i = 0; i < N_KINDS; i++) {
        for (int hour = 0; hour < SEASON_HOURS; hour++)
            seasons->hours[i][hour] = (double)NAN;
    }
    struct json *document =
        ask(history, seasons->first_hour * US_PER_HOUR, this_hour * US_PER_HOUR, US_PER_HOUR);
    const struct json *list = document ? json_get(document, "series") : NULL;
    for (const struct json *one = list ? json_first(list) : NULL; one; one = json_next(one)) {
        int kind = kind_of(json_as_text(json_get(one, "name"), ""));
        if (kind >= 0)
            keep_hours(seasons, one, kind);
    }
    json_destroy(document);
}

static void judge(struct season *season, int kind, bool settled)
{
    double step = fabs(season->value - season->usual.median);
    bool large = step >= kinds[kind].least_step &&
                 step >= kinds[kind].least_ratio * fabs(season->usual.median);
    season->z = seasonal_z(&season->usual, season->value);
    season->state = isnan(season->z) ? HEALTH_NODATA : HEALTH_OK;
    season->why = isnan(season->value)                   ? "no data"
                  : season->usual.basis == SEASONAL_NONE ? "too few hours are known yet"
                  : isnan(season->z)                     ? "it never varied"
                                                         : "";
    if (season->state != HEALTH_OK || !large || !(fabs(season->z) >= ALARM_Z))
        return;
    season->state = settled ? HEALTH_TICKET : HEALTH_NODATA;
    season->why = settled ? season->value > season->usual.median ? "far above the usual"
                                                                 : "far below the usual"
                          : "something was changed here within the last half hour";
}

/* Minutes, of which the last ones may not be written yet: the median of those that are. */
static double value_of(const struct json *series)
{
    double values[32];
    size_t n = 0;
    for (const struct json *point = json_first(json_get(series, "points")); point && n < 32;
         point = json_next(point))
        values[n++] = point_value(point);
    return seasonal_median(values, n);
}

static void read_values(struct seasons *seasons, struct history_store *history, int64_t now_us)
{
    int64_t to_us = now_us / US_PER_MIN * US_PER_MIN;
    struct json *document = ask(history, to_us - VALUE_US, to_us, US_PER_MIN);
    const struct json *list = document ? json_get(document, "series") : NULL;
    seasons->n = N_KINDS;
    for (int i = 0; i < N_KINDS; i++)
        seasons->list[i] = (struct season){.series = kinds[i].series, .value = (double)NAN};
    for (const struct json *one = list ? json_first(list) : NULL; one; one = json_next(one)) {
        int kind = kind_of(json_as_text(json_get(one, "name"), ""));
        if (kind >= 0)
            seasons->list[kind].value = value_of(one);
    }
    json_destroy(document);
}

void seasons_look(struct seasons *seasons, struct history_store *history, int64_t now_us,
                  int64_t changed_us)
{
    if (seasons->hours_at_us == 0 || now_us - seasons->hours_at_us >= HOURS_EVERY_US ||
        now_us / US_PER_HOUR != seasons->hours_at_us / US_PER_HOUR)
        read_hours(seasons, history, now_us);
    if (seasons->looked_at_us > 0 && now_us - seasons->looked_at_us < LOOK_EVERY_US)
        return;
    seasons->looked_at_us = now_us;
    read_values(seasons, history, now_us);
    bool settled = changed_us == 0 || now_us - changed_us >= SETTLED_US;
    for (int i = 0; i < seasons->n && seasons->hours[i]; i++) {
        seasonal_expect(seasons->hours[i], SEASON_HOURS, seasons->first_hour, now_us / US_PER_HOUR,
                        &seasons->list[i].usual);
        judge(&seasons->list[i], i, settled);
    }
}

void season_json(const struct season *season, struct json_writer *json, const char *key)
{
    const struct seasonal *usual = &season->usual;
    json_object(json, key);
    json_text(json, "series", season->series);
    json_text(json, "state", health_name(season->state));
    json_text_or_null(json, "why", season->why);
    json_number(json, "value", season->value);
    json_number(json, "usual", usual->basis == SEASONAL_NONE ? (double)NAN : usual->median);
    json_number(json, "low", usual->median - ALARM_Z * usual->spread);
    json_number(json, "high", usual->median + ALARM_Z * usual->spread);
    json_number(json, "z", season->z);
    json_int(json, "n", (int64_t)usual->n);
    json_text(json, "basis", seasonal_basis_name(usual->basis));
    json_object_end(json);
}
