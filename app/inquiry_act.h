/* Between inquiry.c and inquiry_act.c. */
#ifndef BINNACLE_APP_INQUIRY_ACT_H
#define BINNACLE_APP_INQUIRY_ACT_H

#include "app/inquiry.h"
#include "engine/base/thread.h"

struct inquiry {
    struct inquiry_parts parts;
    struct lock retrying; /* one at a time: what two choose may overlap */
};

/* See struct web_backend. */
int inquiry_retry(void *context, struct slice body, const char *actor, struct buffer *out,
                  struct error *error);
int inquiry_alert(void *context, enum web_alert_act act, struct slice body, const char *actor,
                  struct buffer *out, struct error *error);

#endif
