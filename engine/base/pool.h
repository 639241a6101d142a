/* Memory for very many small pieces that live long: windows of entities, for one. They lie close
 * together and, where the kernel gives them, on huge pages; one that is met at random is then found
 * without first looking for its page, which takes longer than the piece itself, most of all in a
 * virtual machine. */
#ifndef BINNACLE_BASE_POOL_H
#define BINNACLE_BASE_POOL_H

#include <stddef.h>

struct pool;

/* NULL: out of memory. */
struct pool *pool_create(void);
/* Pieces of up to POOL_MAX_PIECE bytes that were not given back go with it. NULL is ignored. */
void pool_destroy(struct pool *pool);

/* Larger pieces come from malloc() and have to be given back. */
#define POOL_MAX_PIECE ((size_t)8192)

/* A piece of `size` bytes (not 0) aligned for any type, its content undefined. NULL: out of memory.
 * Memory comes from the kernel a few pieces to many thousands at a time, more the more there are,
 * and does not go back to it before the end: what is given back serves later pieces of about the
 * size. A NULL pool is malloc() and free(). Any thread. */
void *pool_take(struct pool *pool, size_t size);
/* `size` is what was asked for. NULL is ignored. */
void pool_give(struct pool *pool, void *piece, size_t size);

/* Zeroed memory of its own for one large thing that is met at random; huge pages from 2 MiB on.
 * NULL: out of memory. Any thread. */
void *pool_map(size_t size);
void pool_unmap(void *memory, size_t size); /* NULL is ignored */

#endif
