/* libxgboost (1.7), loaded when it is needed. */
#include <stdio.h>
#include <string.h>

#include "engine/base/shared_library.h"
#include "engine/model/xgboost_priv.h"

enum status xgboost_load(struct xgboost *xgboost, struct error *error)
{
#define XGBOOST_NAME(name) {#name, offsetof(struct xgboost, name)},
    static const struct shared_function functions[] = {XGBOOST_FUNCTIONS(XGBOOST_NAME)};
#undef XGBOOST_NAME
    return shared_library_load("libxgboost.so.0", functions, sizeof functions / sizeof *functions,
                               xgboost, error);
}

enum status xgboost_failed(const struct xgboost *xgboost, struct error *error, const char *what)
{
    char message[300];
    /* Its messages carry a stack trace after the first line. */
    snprintf(message, sizeof message, "%s", xgboost->XGBGetLastError());
    message[strcspn(message, "\n")] = 0;
    return error_set(error, STATUS_UNSUPPORTED, "%s: libxgboost says: %s", what, message);
}
