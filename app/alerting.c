/* The words that rules may use are those of this configuration: its objectives and features. Any
 * thread. */
#include "app/alerting.h"

#include "engine/feature/views.h"

void alerting_fill(struct alerting *alerting, const struct config *config,
                   const struct slo_set *objectives)
{
    const struct feature_schema *features = feature_views_schema(config->views);
    for (int i = 0; i < objectives->n; i++)
        alerting->slos[i] = (struct alert_objective){objectives->slos[i].name,
                                                     slo_counts_events(&objectives->slos[i])};
    alerting->columns[0] = "score";
    for (size_t i = 0; i < features->n_features; i++)
        alerting->columns[i + 1] = features->names[i];
    alerting->options = (struct alerts_options){
        .rules = config->alerts,
        .channels = config->channels,
        .service = config->service,
        .link = config->link,
        .slos = alerting->slos,
        .n_slos = objectives->n,
        .columns = alerting->columns,
        .n_columns = (int)features->n_features + 1,
        .folder = config->folder,
    };
}
