/* The synthetic producer's parts: chance, people, bytes. Private to engine/event. */
#ifndef BINNACLE_EVENT_PRODUCER_PRIV_H
#define BINNACLE_EVENT_PRODUCER_PRIV_H

#include "engine/event/producer.h"

/* xoshiro256** by D. Blackman and S. Vigna ("Scrambled linear pseudorandom number generators",
 * ACM TOMS 47, 2021), seeded by splitmix64. */
struct chance {
    uint64_t state[4];
};

void chance_seed(struct chance *chance, uint64_t seed);
uint64_t chance_bits(struct chance *chance);
double chance_share(struct chance *chance); /* in [0, 1) */
double chance_between(struct chance *chance, double low, double high);
int chance_below(struct chance *chance, int n);   /* 0 to n-1 */
double chance_normal(struct chance *chance);      /* mean 0, deviation 1 */
double chance_exponential(struct chance *chance); /* mean 1 */
bool chance_happens(struct chance *chance, double probability);

/* What one transaction says before it becomes bytes. */
struct draft {
    int64_t time_us;
    int64_t user;
    double amount; /* whole cents */
    int country, device;
    enum producer_scenario scenario;
};

#define PRODUCER_COUNTRIES 7
#define PRODUCER_DEVICES   3
#define PRODUCER_WEB       2 /* among the devices */

#define PRODUCER_JSON_SIZE 1024

/* A ULID of this time and chance, zero-terminated. */
void producer_ulid(struct chance *chance, int64_t time_us, char out[27]);
/* The event's JSON; returns its size. */
size_t producer_json(const struct draft *draft, const char *event_id, char out[PRODUCER_JSON_SIZE]);
/* The same, wrong in one way drawn by chance, which is returned in *bad. `earlier_id` is an id
 * that was used before, "" when there is none. */
size_t producer_bad_json(struct chance *chance, const struct draft *draft, char event_id[27],
                         const char *earlier_id, char out[PRODUCER_JSON_SIZE],
                         enum violation_code *bad);

#endif
