/* The functions of libxgboost that this folder calls. The library is loaded with the first model or
 * training: with its own libraries it takes 8 MB and several milliseconds, and most commands have
 * no use for it. */
#ifndef BINNACLE_MODEL_XGBOOST_PRIV_H
#define BINNACLE_MODEL_XGBOOST_PRIV_H

#include <xgboost/c_api.h>

#include "engine/base/status.h"

#define XGBOOST_FUNCTIONS(FUNCTION)                                                                \
    FUNCTION(XGBGetLastError)                                                                      \
    FUNCTION(XGBoostVersion)                                                                       \
    FUNCTION(XGDMatrixCreateFromDense)                                                             \
    FUNCTION(XGDMatrixSetFloatInfo)                                                                \
    FUNCTION(XGDMatrixFree)                                                                        \
    FUNCTION(XGBoosterCreate)                                                                      \
    FUNCTION(XGBoosterFree)                                                                        \
    FUNCTION(XGBoosterSlice)                                                                       \
    FUNCTION(XGBoosterBoostedRounds)                                                               \
    FUNCTION(XGBoosterSetParam)                                                                    \
    FUNCTION(XGBoosterSetAttr)                                                                     \
    FUNCTION(XGBoosterSetStrFeatureInfo)                                                           \
    FUNCTION(XGBoosterUpdateOneIter)                                                               \
    FUNCTION(XGBoosterEvalOneIter)                                                                 \
    FUNCTION(XGBoosterPredictFromDense)                                                            \
    FUNCTION(XGBoosterPredictFromDMatrix)                                                          \
    FUNCTION(XGBoosterLoadModelFromBuffer)                                                         \
    FUNCTION(XGBoosterSaveModelToBuffer)

/* Each under its own name. */
struct xgboost {
#define XGBOOST_MEMBER(name) __typeof__ (&(name))(name);
    XGBOOST_FUNCTIONS(XGBOOST_MEMBER)
#undef XGBOOST_MEMBER
};

/* STATUS_UNSUPPORTED: it is not installed. Any thread. */
MUST_USE enum status xgboost_load(struct xgboost *xgboost, struct error *error);
/* What the library says of the calling thread's last call: STATUS_UNSUPPORTED. */
enum status xgboost_failed(const struct xgboost *xgboost, struct error *error, const char *what);

#endif
