/* Key series against what this hour of this weekday usually brings, out of the history. */
#ifndef BINNACLE_APP_SEASONS_H
#define BINNACLE_APP_SEASONS_H

#include "engine/observe/snapshot.h"
#include "engine/stats/seasonal.h"

struct history_store;
struct json_writer;

#define MAX_SEASONS  12
#define SEASON_HOURS 840 /* five weeks */

struct season {
    const char *series; /* as /api/v1/history names it */
    double value;       /* of the last quarter of an hour; NaN: no data */
    struct seasonal usual;
    double z;          /* NaN: not judged */
    enum health state; /* HEALTH_NODATA, _OK, _TICKET */
    const char *why;   /* why not OK */
};

/* Kept from tick to tick; zero it once. One thread at a time. */
struct seasons {
    struct season list[MAX_SEASONS];
    int n;
    int64_t hours_at_us, looked_at_us; /* when the hours and the value were last read; 0: never */
    int64_t first_hour;
    double *hours[MAX_SEASONS]; /* SEASON_HOURS each; NaN: not known */
};
void seasons_free(struct seasons *seasons);

/* Reads what is due: the hours of five weeks every ten minutes, the last quarter of an hour every
 * minute. `changed_us`: when something was last changed here (0: never); for half an hour after it
 * nothing is an alarm. */
void seasons_look(struct seasons *seasons, struct history_store *history, int64_t now_us,
                  int64_t changed_us);
/* {"series","state","why","value","usual","low","high","z","n","basis"} */
void season_json(const struct season *season, struct json_writer *json, const char *key);

#endif
