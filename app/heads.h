/* `ledger: heads:` of the configuration: where signed heads go beside the ledger. */
#ifndef BINNACLE_APP_HEADS_H
#define BINNACLE_APP_HEADS_H

#include "engine/base/webhook.h"
#include "engine/event/kafka.h"
#include "engine/observe/snapshot.h"
#include "engine/record/head_post.h"

/* Strings are borrowed from the document. */
struct heads_config {
    const char *file;  /* relative to the folder; NULL: none */
    const char *topic; /* in the cluster of `kafka`; NULL: none */
    bool has_webhook;
    struct webhook webhook;
    int64_t every_us; /* topic and webhook: at least so far apart */
};

/* A file's name, or a map; NULL: none of it. The error says file, line and column. */
MUST_USE enum status heads_read(const struct yaml_node *node, const char *folder,
                                struct heads_config *config, struct error *error);

/* The running part. Strings of all three are borrowed. */
struct heads;
MUST_USE enum status heads_open(const struct heads_config *config,
                                const struct kafka_options *kafka, struct log *log,
                                struct heads **heads, struct error *error);
/* After the ledger. Sends what waits, once. NULL is ignored. */
void heads_close(struct heads *heads);
struct head_post *const *heads_posts(const struct heads *heads, size_t *n);
/* NULL heads: there are no such places. Any thread. */
void heads_fill(const struct heads *heads, struct snapshot *snapshot);

#endif
