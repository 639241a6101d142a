/* cairo and pango, loaded when they are needed. */
#include "reports/pango_priv.h"

#include "engine/base/shared_library.h"

enum status pango_load(struct pango *pango, struct error *error)
{
#define PANGO_NAME(name) {#name, offsetof(struct pango, name)},
    static const struct shared_function functions[] = {PANGO_FUNCTIONS(PANGO_NAME)};
#undef PANGO_NAME
    return shared_library_load("libpangocairo-1.0.so.0", functions,
                               sizeof functions / sizeof *functions, pango, error);
}
