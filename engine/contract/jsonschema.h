/* A contract as a JSON Schema (draft 2020-12), for producers and their tools. */
#ifndef BINNACLE_CONTRACT_JSONSCHEMA_H
#define BINNACLE_CONTRACT_JSONSCHEMA_H

#include "engine/base/buffer.h"
#include "engine/contract/contract.h"

/* Appends one JSON object. It says what a JSON event must look like as far as JSON Schema can;
 * uniqueness, time limits, checks and the PII flag go into "x-" members. Check out->overflow. */
void contract_json_schema(const struct contract *contract, struct buffer *out);

#endif
