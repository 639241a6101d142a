/* `ledger: {tiers: ...}` of the configuration: how long a day stays in each tier. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/config.h"
#include "engine/base/clock.h"

#define CENTURY_S 3155760000.0

struct tier_keys {
    struct tier_policy policy;
    int64_t cache_mb;
    const struct yaml_node *archive;
};

static const struct config_key archive_keys[] = {
    {"endpoint", CONFIG_STRING, offsetof(struct archive_options, endpoint), true, 0, 0,
     "http://HOST:PORT or https://HOST of an S3-compatible store"},
    {"bucket", CONFIG_STRING, offsetof(struct archive_options, bucket), true, 0, 0,
     "bucket, which must be there"},
    {"region", CONFIG_STRING, offsetof(struct archive_options, region), false, 0, 0,
     "region that requests are signed for (us-east-1)"},
    {"prefix", CONFIG_STRING, offsetof(struct archive_options, prefix), false, 0, 0,
     "before every object's name, such as ledger/ (none)"},
    {"access_key_file", CONFIG_STRING, offsetof(struct archive_options, access_key_file), false, 0,
     0, "file of mode 0600 with the access key (environment: AWS_ACCESS_KEY_ID)"},
    {"secret_key_file", CONFIG_STRING, offsetof(struct archive_options, secret_key_file), false, 0,
     0, "file of mode 0600 with the secret key (environment: AWS_SECRET_ACCESS_KEY)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static const struct config_key tier_keys[] = {
    {"seal_after", CONFIG_DURATION, offsetof(struct tier_keys, policy.grace_us), false, 0,
     CENTURY_S, "from the end of a day until its file is sealed (1h)"},
    {"raw_events", CONFIG_DURATION, offsetof(struct tier_keys, policy.raw_us), false, 0, CENTURY_S,
     "until the bytes of a day's quarantined events are deleted; it is sealed then (48h)"},
    {"decisions", CONFIG_DURATION, offsetof(struct tier_keys, policy.live_us), false, 0, CENTURY_S,
     "until a sealed day is compressed (90d)"},
    {"move_after", CONFIG_DURATION, offsetof(struct tier_keys, policy.move_us), false, 0, CENTURY_S,
     "until a compressed day is moved to the archive (at once)"},
    {"sealed", CONFIG_DURATION, offsetof(struct tier_keys, policy.keep_us), false, 0, CENTURY_S,
     "until a day is deleted, with a row that says so (2557d: seven years)"},
    {"archive", CONFIG_NODE, offsetof(struct tier_keys, archive), false, 0, 0,
     "{endpoint, bucket, region, prefix, access_key_file, secret_key_file}"},
    {"cache_mb", CONFIG_INT, offsetof(struct tier_keys, cache_mb), false, 1, 1e9,
     "most MiB that unpacked copies of compressed days take (1024)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

struct tier_policy tiers_default(void)
{
    return (struct tier_policy){.grace_us = US_PER_HOUR,
                                .raw_us = 48 * US_PER_HOUR,
                                .live_us = 90 * US_PER_DAY,
                                .keep_us = 2557 * US_PER_DAY,
                                .cache_bytes = INT64_C(1024) << 20};
}

static enum status read_archive(const struct yaml_node *map, struct archive_options *archive,
                                struct error *error)
{
    struct object_store store;
    struct error problem;
    if (!map)
        return STATUS_OK;
    *archive = (struct archive_options){.region = "us-east-1", .prefix = ""};
    enum status status = config_read(map, archive_keys, archive, error);
    if (status != STATUS_OK)
        return status;
    snprintf(store.endpoint, sizeof store.endpoint, "%s", archive->endpoint);
    snprintf(store.bucket, sizeof store.bucket, "%s", archive->bucket);
    snprintf(store.region, sizeof store.region, "%s", archive->region);
    if (object_store_check(&store, &problem) != STATUS_OK)
        return yaml_error(map, error, "%s", problem.message);
    if (!archive->access_key_file != !archive->secret_key_file)
        return yaml_error(map, error, "access_key_file and secret_key_file go together");
    return STATUS_OK;
}

/* tiers.db keeps the names of key files, for readers that start elsewhere. */
static enum status find_key_files(struct config_ledger *ledger, const char *folder,
                                  struct error *error)
{
    struct archive_options *archive = &ledger->policy.archive;
    const char **const names[] = {&archive->access_key_file, &archive->secret_key_file};
    char *top = realpath(folder, NULL);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && *names[i]; i++) {
        const char *name = *names[i];
        int size = name[0] == '/' || !top ? asprintf(&ledger->key_files[i], "%s", name)
                                          : asprintf(&ledger->key_files[i], "%s/%s", top, name);
        if (size < 0) {
            ledger->key_files[i] = NULL; /* what asprintf() left there is nobody's */
            status = error_set(error, STATUS_MEMORY, "out of memory");
        } else
            *names[i] = ledger->key_files[i];
    }
    free(top);
    return status;
}

enum status tiers_read(struct config_ledger *ledger, const char *folder, struct error *error)
{
    struct tier_policy *policy = &ledger->policy;
    struct tier_keys keys = {.policy = *policy, .cache_mb = policy->cache_bytes >> 20};
    if (!ledger->tiers)
        return STATUS_OK;
    enum status status = config_read(ledger->tiers, tier_keys, &keys, error);
    if (status == STATUS_OK)
        status = read_archive(keys.archive, &keys.policy.archive, error);
    *policy = keys.policy;
    policy->cache_bytes = keys.cache_mb << 20;
    return status == STATUS_OK ? find_key_files(ledger, folder, error) : status;
}
