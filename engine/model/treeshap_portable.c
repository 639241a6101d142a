/* Contributions four trees at a time, in what vectors every processor of the kind has. */
#include "engine/model/treeshap_lanes.h"

static bool runs_here(void)
{
    return true;
}

const struct shap_kernel shap_portable = {"portable", runs_here, shap_explain};
