/* Contributions of trees of any shape: the formulas of treeshap_priv.h in double, a few points of
 * the rule at a time, down the nodes in an order that has parents first and up again. */
#include <math.h>
#include <stdlib.h>

#include "engine/model/treeshap_priv.h"

#define AT_ONCE 4 /* points */

struct node {
    uint32_t split;       /* in walk.nodes */
    uint32_t left, right; /* in this order; 0: a leaf */
    uint32_t above;       /* the last split by the same feature on the way here, + 1; 0: none */
    uint32_t feature;
    bool above_left; /* which way the path went there */
    double share_left, share_right;
    double passing; /* z: the share that passes the splits by the feature above; of a leaf: its
                       value */
};

struct tree {
    size_t number, first_node, n_nodes;
    size_t n_points; /* a multiple of AT_ONCE */
};

struct rule {
    double *t, *weights;
};

struct shap_walk {
    struct walk walk;
    struct tree *trees;
    size_t n_trees, most_nodes;
    struct node *nodes;
    struct rule rules[SHAP_MAX_POINTS / AT_ONCE + 1];
};

struct shap_scratch {
    double (*above)[AT_ONCE]; /* A w */
    double (*sums)[AT_ONCE];  /* S */
    uint8_t *states;
};

enum state { GOES_LEFT = 1, PASSES = 2 };

/* ---- building ---- */

struct ordering {
    const struct forest *forest;
    struct shap_walk *walk;
    size_t *depths;   /* different features on the path to a node */
    uint32_t *parent; /* in this order; + 1 */
};

static void find_above(const struct ordering *ordering, struct node *nodes, uint32_t at)
{
    struct node *node = &nodes[at];
    node->passing = 1;
    for (uint32_t below = at, i = ordering->parent[at]; i > 0;
         below = i - 1, i = ordering->parent[i - 1]) {
        const struct node *other = &nodes[i - 1];
        if (other->feature != node->feature)
            continue;
        node->above = i;
        node->above_left = other->left == below;
        node->passing =
            other->passing * (node->above_left ? other->share_left : other->share_right);
        return;
    }
}

static void add_child(const struct ordering *ordering, struct node *nodes, uint32_t parent,
                      uint32_t child, size_t split)
{
    nodes[child] = (struct node){.split = (uint32_t)split};
    ordering->parent[child] = parent + 1;
    ordering->depths[child] = ordering->depths[parent] + (nodes[parent].above == 0);
}

/* Puts the tree's nodes in order, parents first; returns how many features the longest path has. */
static size_t order_nodes(const struct ordering *ordering, size_t tree_number, struct node *nodes)
{
    const struct forest *forest = ordering->forest;
    const struct forest_tree *tree = &forest->trees[tree_number];
    size_t most = 0;
    uint32_t n = 1;
    nodes[0] = (struct node){.split = tree->first_node};
    ordering->parent[0] = 0;
    ordering->depths[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct node *node = &nodes[i];
        size_t split = node->split;
        most = ordering->depths[i] > most ? ordering->depths[i] : most;
        if (forest->left[split] < 0) {
            node->passing = (double)shap_leaf_value(forest, tree_number, split);
            continue;
        }
        struct shap_shares shares = shap_shares_of(forest, tree, split);
        node->feature = forest->feature[split];
        node->share_left = shares.left;
        node->share_right = shares.right;
        find_above(ordering, nodes, i);
        node->left = n++;
        node->right = n++;
        add_child(ordering, nodes, i, node->left, tree->first_node + (size_t)forest->left[split]);
        add_child(ordering, nodes, i, node->right, tree->first_node + (size_t)forest->right[split]);
    }
    return most;
}

/* More points than SHAP_MAX_POINTS are not needed: a rule of 512 is exact for 1024 features on one
 * path, and for more its error is below that of the additions. */
static size_t points_for(size_t n_features)
{
    size_t n = ((n_features + 1) / 2 + AT_ONCE - 1) / AT_ONCE * AT_ONCE;
    n = n < AT_ONCE ? AT_ONCE : n;
    return n < SHAP_MAX_POINTS ? n : SHAP_MAX_POINTS;
}

static enum status need_rule(struct shap_walk *walk, size_t n, struct error *error)
{
    struct rule *rule = &walk->rules[n / AT_ONCE];
    if (rule->t)
        return STATUS_OK;
    rule->t = calloc(n, sizeof *rule->t);
    rule->weights = calloc(n, sizeof *rule->weights);
    if (!rule->t || !rule->weights)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    shap_rule(n, rule->t, rule->weights);
    return STATUS_OK;
}

static enum status add_trees(const struct ordering *ordering, const bool *fast, struct error *error)
{
    struct shap_walk *walk = ordering->walk;
    size_t first_node = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ordering->forest->n_trees && status == STATUS_OK; i++) {
        if (fast[i])
            continue;
        size_t n_nodes = ordering->forest->trees[i].n_nodes;
        size_t n = points_for(order_nodes(ordering, i, walk->nodes + first_node));
        walk->trees[walk->n_trees++] = (struct tree){i, first_node, n_nodes, n};
        walk->most_nodes = n_nodes > walk->most_nodes ? n_nodes : walk->most_nodes;
        first_node += n_nodes;
        status = need_rule(walk, n, error);
    }
    return status;
}

static enum status build(const struct forest *forest, const bool *fast, struct shap_walk *walk,
                         struct error *error)
{
    size_t n_trees = 0, n_nodes = 0, most = 0;
    for (size_t i = 0; i < forest->n_trees; i++) {
        size_t n = fast[i] ? 0 : forest->trees[i].n_nodes;
        n_trees += !fast[i];
        n_nodes += n;
        most = n > most ? n : most;
    }
    struct ordering ordering = {.forest = forest, .walk = walk};
    ordering.depths = calloc(most + 1, sizeof *ordering.depths);
    ordering.parent = calloc(most + 1, sizeof *ordering.parent);
    walk->trees = calloc(n_trees + 1, sizeof *walk->trees);
    walk->nodes = calloc(n_nodes + 1, sizeof *walk->nodes);
    enum status status = walk_create(forest, &walk->walk, error);
    if (status == STATUS_OK)
        status = ordering.depths && ordering.parent && walk->trees && walk->nodes
                     ? add_trees(&ordering, fast, error)
                     : error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    free(ordering.depths);
    free(ordering.parent);
    return status;
}

enum status shap_walk_create(const struct forest *forest, const bool *fast, struct shap_walk **walk,
                             struct error *error)
{
    *walk = NULL;
    struct shap_walk *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for a model's trees");
    enum status status = build(forest, fast, made, error);
    if (status != STATUS_OK) {
        shap_walk_destroy(made);
        return status;
    }
    *walk = made;
    return STATUS_OK;
}

void shap_walk_destroy(struct shap_walk *walk)
{
    if (!walk)
        return;
    for (size_t i = 0; i < sizeof walk->rules / sizeof walk->rules[0]; i++) {
        free(walk->rules[i].t);
        free(walk->rules[i].weights);
    }
    walk_free(&walk->walk);
    free(walk->trees);
    free(walk->nodes);
    free(walk);
}

/* ---- explaining ---- */

static size_t scratch_floats(const struct shap_walk *walk)
{
    return 2 * walk->most_nodes * AT_ONCE;
}

void *shap_walk_scratch(const struct shap_walk *walk)
{
    return malloc(scratch_floats(walk) * sizeof(double) + walk->most_nodes + 1);
}

static void look(const struct shap_walk *walk, const struct tree *tree, const float *row,
                 uint8_t *states)
{
    const struct node *nodes = walk->nodes + tree->first_node;
    for (size_t i = 0; i < tree->n_nodes; i++) {
        const struct node *node = &nodes[i];
        if (node->left == 0)
            continue;
        bool left = walk_goes_left(&walk->walk, node->split, row), passes = true;
        if (node->above > 0) {
            uint8_t above = states[node->above - 1];
            passes = (above & PASSES) && !(above & GOES_LEFT) == !node->above_left;
        }
        states[i] = (uint8_t)((left ? GOES_LEFT : 0) | (passes ? PASSES : 0));
    }
}

/* One node at AT_ONCE points. */
struct ratios {
    double left[AT_ONCE], right[AT_ONCE];         /* r */
    double phi_left[AT_ONCE], phi_right[AT_ONCE]; /* of S in phi, but for A w */
};

static void find_ratios(const struct node *node, uint8_t state, const double *t,
                        struct ratios *ratios)
{
    bool left = state & GOES_LEFT, passes = state & PASSES;
    double hot = left ? node->share_left : node->share_right, z = node->passing;
    double cold = left ? node->share_right : node->share_left;
    double *to_hot = left ? ratios->left : ratios->right;
    double *to_cold = left ? ratios->right : ratios->left;
    double *phi_hot = left ? ratios->phi_left : ratios->phi_right;
    double *phi_cold = left ? ratios->phi_right : ratios->phi_left;
    for (int k = 0; k < AT_ONCE; k++) {
        double u = 1 - t[k], x = 1 / (t[k] + z * u);
        to_hot[k] = passes ? (t[k] + z * hot * u) * x : hot;
        to_cold[k] = passes ? z * cold * u * x : cold;
        phi_hot[k] = passes ? z * x * x * (1 - hot) : 0;
        phi_cold[k] = passes ? -(z * x * x * cold) : 0;
    }
}

static void go_down(const struct node *nodes, size_t n, const double *t,
                    const struct shap_scratch *scratch)
{
    for (size_t i = 0; i < n; i++) {
        const struct node *node = &nodes[i];
        for (int k = 0; node->left == 0 && k < AT_ONCE; k++)
            scratch->sums[i][k] = node->passing;
        if (node->left == 0)
            continue;
        struct ratios ratios;
        find_ratios(node, scratch->states[i], t, &ratios);
        for (int k = 0; k < AT_ONCE; k++) {
            scratch->above[node->left][k] = scratch->above[i][k] * ratios.left[k];
            scratch->above[node->right][k] = scratch->above[i][k] * ratios.right[k];
        }
    }
}

static void go_up(const struct node *nodes, size_t n, const double *t,
                  const struct shap_scratch *scratch, double *phi)
{
    for (size_t i = n; i-- > 0;) {
        const struct node *node = &nodes[i];
        if (node->left == 0)
            continue;
        struct ratios ratios;
        find_ratios(node, scratch->states[i], t, &ratios);
        const double *left = scratch->sums[node->left], *right = scratch->sums[node->right];
        double sum = 0;
        for (int k = 0; k < AT_ONCE; k++) {
            scratch->sums[i][k] = ratios.left[k] * left[k] + ratios.right[k] * right[k];
            sum += scratch->above[i][k] *
                   (ratios.phi_left[k] * left[k] + ratios.phi_right[k] * right[k]);
        }
        phi[node->feature] += sum;
    }
}

void shap_walk_add(const struct shap_walk *walk, size_t n_trees, const float *row, void *memory,
                   double *phi)
{
    const struct shap_scratch scratch = {
        .above = memory,
        .sums = (double(*)[AT_ONCE])memory + walk->most_nodes,
        .states = (uint8_t *)((double *)memory + scratch_floats(walk)),
    };
    for (size_t i = 0; i < walk->n_trees && walk->trees[i].number < n_trees; i++) {
        const struct tree *tree = &walk->trees[i];
        const struct node *nodes = walk->nodes + tree->first_node;
        const struct rule *rule = &walk->rules[tree->n_points / AT_ONCE];
        look(walk, tree, row, scratch.states);
        for (size_t first = 0; first < tree->n_points; first += AT_ONCE) {
            for (int k = 0; k < AT_ONCE; k++)
                scratch.above[0][k] = rule->weights[first + (size_t)k];
            go_down(nodes, tree->n_nodes, rule->t + first, &scratch);
            go_up(nodes, tree->n_nodes, rule->t + first, &scratch, phi);
        }
    }
}
