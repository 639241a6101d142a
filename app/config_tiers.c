/* `ledger: {tiers: ...}` of the configuration: how long a day stays in each tier. */
#include <stddef.h>

#include "app/config.h"
#include "engine/base/clock.h"

#define CENTURY_S 3155760000.0

struct tier_keys {
    struct tier_policy policy;
    int64_t cache_mb;
};

static const struct config_key tier_keys[] = {
    {"seal_after", CONFIG_DURATION, offsetof(struct tier_keys, policy.grace_us), false, 0,
     CENTURY_S, "from the end of a day until its file is sealed (1h)"},
    {"decisions", CONFIG_DURATION, offsetof(struct tier_keys, policy.live_us), false, 0, CENTURY_S,
     "until a sealed day is compressed (90d)"},
    {"cache_mb", CONFIG_INT, offsetof(struct tier_keys, cache_mb), false, 1, 1e9,
     "most MiB that unpacked copies of compressed days take (1024)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

struct tier_policy tiers_default(void)
{
    return (struct tier_policy){
        .grace_us = US_PER_HOUR, .live_us = 90 * US_PER_DAY, .cache_bytes = INT64_C(1024) << 20};
}

enum status tiers_read(const struct yaml_node *map, struct tier_policy *policy, struct error *error)
{
    struct tier_keys keys = {*policy, policy->cache_bytes >> 20};
    if (!map)
        return STATUS_OK;
    enum status status = config_read(map, tier_keys, &keys, error);
    *policy = keys.policy;
    policy->cache_bytes = keys.cache_mb << 20;
    return status;
}
