/* What people ask of the record and do about it, for the HTTP routes: decisions found and one in
 * full, the quarantine and retrying from it, alerts acknowledged and silenced. */
#ifndef BINNACLE_APP_INQUIRY_H
#define BINNACLE_APP_INQUIRY_H

#include "alerts/alerts.h"
#include "engine/engine.h"
#include "engine/pipeline.h"
#include "engine/record/changes.h"
#include "ui/web/web.h"

struct inquiry;

/* All borrowed but `workers`, which is copied. */
struct inquiry_parts {
    struct engine *engine;
    struct alerts *alerts;
    struct changes *changes; /* where actions are listed; NULL: nowhere */
    struct worker_options workers;
};
MUST_USE enum status inquiry_create(const struct inquiry_parts *parts, struct inquiry **inquiry,
                                    struct error *error);
void inquiry_destroy(struct inquiry *inquiry); /* no request is running; NULL is ignored */
/* Adds what it answers to the table for web_start(). */
void inquiry_table(struct inquiry *inquiry, struct web_backend *table);

#endif
