/* What the looks of `doctor` share: how a finding is told. */
#ifndef BINNACLE_APP_DOCTOR_H
#define BINNACLE_APP_DOCTOR_H

#include "app/cli.h"
#include "app/config.h"

enum finding { FINE, UNSAFE, WRONG };

struct diagnosis;

/* One line, or one object with --json. The text of UNSAFE and WRONG says what may happen. */
void doctor_say(struct diagnosis *diagnosis, enum finding verdict, const char *about,
                const char *format, ...) PRINTF_LIKE(4, 5);
const struct cli_args *doctor_args(const struct diagnosis *diagnosis);
/* NULL: none given, or it could not be read. */
const struct config *doctor_config(const struct diagnosis *diagnosis);

/* The look at the folder of the ledger: durability, file system, rights. */
void doctor_folder(struct diagnosis *diagnosis);
/* The look at the cluster: topics, copies, retention. */
void doctor_kafka(struct diagnosis *diagnosis);

#endif
