/* A loaded contract. Private to engine/contract. */
#ifndef BINNACLE_CONTRACT_CONTRACT_PRIV_H
#define BINNACLE_CONTRACT_CONTRACT_PRIV_H

#include "engine/base/regex.h"
#include "engine/base/yaml.h"
#include "engine/contract/contract.h"
#include "engine/contract/words_priv.h"

struct contract {
    unsigned magic;
    struct yaml *yaml; /* owns every string below */
    struct schema schema;
    const char *description;
    struct field *fields;     /* schema.fields */
    struct field_rule *rules; /* by field index */
    struct words **words;     /* by field index: the rule's words to look up, NULL: none */
    struct regex **patterns;  /* by field index, NULL: none */
    bool additional_fields;
    int64_t unique_within_us;
    int64_t max_step_us;
    struct contract_check_rule *checks;
    struct expr **expressions; /* by check */
    size_t n_checks;
    struct contract_window_check *window_checks;
    size_t n_window_checks;
};

/* Fills the contract from its document (contract_load.c). */
MUST_USE enum status contract_read(struct contract *contract, const struct yaml_node *root,
                                   struct error *error);

#define CONTRACT_MAX_NAME 63
/* Letters, digits and _, no digit first: what expressions and the canonical JSON take without
 * quoting. */
bool contract_is_name(const char *name);
/* Fills schema.fields and the rules from the list of fields (contract_fields.c). */
MUST_USE enum status contract_read_fields(struct contract *contract, const struct yaml_node *list,
                                          struct error *error);

#endif
