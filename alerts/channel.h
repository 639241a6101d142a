/* Where messages go: Slack incoming webhooks and plain webhooks, from the `channels:` node. */
#ifndef BINNACLE_ALERTS_CHANNEL_H
#define BINNACLE_ALERTS_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/machine.h"
#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/observe/snapshot.h"

#define MAX_CHANNELS 16

/* What there is to tell. Texts are borrowed. */
struct notice {
    const char *service;
    const char *name;
    const char *severity; /* "page", "ticket" */
    const char *summary;
    const char *link;                      /* NULL: none */
    const struct explanation *explanation; /* of what fires; NULL: nothing explains it */
    const char *fingerprint; /* of the incident: the same when it fires and when it resolves */
    enum transition transition;
    double value;     /* NaN: none */
    int64_t fired_us; /* when the incident began */
    int64_t at_us;    /* of this transition */
};

struct channels; /* immutable */

/* A list of {name, type: slack|webhook, url | url_env | url_file, secret_file, timeout}. Secrets
 * stay out of the file when the address is named by an environment variable or another file
 * (relative to `folder`). NULL: none. The error says file, line and column. */
MUST_USE enum status channels_read(const struct yaml_node *node, const char *folder,
                                   struct channels **channels, struct error *error);
void channels_destroy(struct channels *channels); /* NULL is ignored */

int channels_count(const struct channels *channels);
const char *channels_name(const struct channels *channels, int index);
int channels_find(const struct channels *channels, const char *name); /* -1: none such */

/* The body that this channel wants, in place of what `body` held. STATUS_FULL: all of it does not
 * fit there. */
MUST_USE enum status channel_render(const struct channels *channels, int index,
                                    const struct notice *notice, struct buffer *body,
                                    struct error *error);
/* Posts it. STATUS_OK: taken. A retriable error: later, after *retry_after_s when that is not
 * negative. Any other: never. `key` goes into the Idempotency-Key header. */
MUST_USE enum status channel_post(const struct channels *channels, int index, struct slice body,
                                  const char *key, int64_t *retry_after_s, struct error *error);

#endif
