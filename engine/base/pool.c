/* Pieces cut from areas of memory that the kernel is asked to back with huge pages (madvise(2),
 * MADV_HUGEPAGE: a wish, nothing fails where it is not granted). Sizes are rounded up to classes,
 * four to a doubling; what is given back goes into its class's list, the newest first, since that
 * one is the likeliest to be in a cache. Areas begin small, so that few pieces take little, and
 * double. Any thread, by one lock: pieces are taken seldom, entities come and grow. */
#include "engine/base/pool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/base/thread.h"

#define POOL_MAGIC    0x706f6f6cU
#define HUGE_PAGE     ((size_t)2 << 20)
#define FIRST_AREA    ((size_t)64 << 10)
#define LARGEST_AREA  ((size_t)8 << 20)
#define UNIT          ((size_t)16) /* of alignment */
#define LINE          ((size_t)64) /* of the processor's caches */
#define SMALL_CLASSES 8            /* up to 8 units, one unit apart */
#define CLASSES       (SMALL_CLASSES + 4 * 6)

/* A piece that nobody has. */
struct piece {
    struct piece *next;
};

/* At the beginning of each area. */
struct area {
    struct area *before;
    size_t size;
};

struct pool {
    unsigned magic;
    struct lock lock;
    struct area *newest;
    char *at, *end; /* what is left of the newest area */
    struct piece *given[CLASSES];
};

/* The class of a size and, in *room, the size of its pieces: 16, 32 ... 128, then 160, 192, 224,
 * 256, 320 ... 8192. */
static size_t class_of(size_t size, size_t *room)
{
    size_t units = (size + UNIT - 1) / UNIT;
    if (units <= SMALL_CLASSES) {
        *room = units * UNIT;
        return units - 1;
    }
    size_t doubling = (size_t)(63 - __builtin_clzll(units - 1)); /* units are in (2^d, 2^(d+1)] */
    size_t step = (size_t)1 << (doubling - 2);
    size_t quarter = (units - ((size_t)1 << doubling) + step - 1) / step; /* 1 to 4 */
    *room = (((size_t)1 << doubling) + quarter * step) * UNIT;
    return SMALL_CLASSES + 4 * (doubling - 3) + quarter - 1;
}

static size_t whole_pages(size_t size)
{
    size_t page = size >= HUGE_PAGE ? HUGE_PAGE : 4096;
    return (size + page - 1) / page * page;
}

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Aligned to huge pages: more is mapped than needed, and what is beside it goes back. */
static void *map_huge(size_t size)
{
    char *memory = map(size + HUGE_PAGE);
    if (!memory)
        return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        (void)munmap(memory, before);
    (void)munmap(memory + before + size, HUGE_PAGE - before);
    (void)madvise(memory + before, size, MADV_HUGEPAGE);
    return memory + before;
}

void *pool_map(size_t size)
{
    size_t whole = whole_pages(size);
    return whole >= HUGE_PAGE ? map_huge(whole) : map(whole);
}

void pool_unmap(void *memory, size_t size)
{
    if (memory)
        (void)munmap(memory, whole_pages(size));
}

struct pool *pool_create(void)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->magic = POOL_MAGIC;
    lock_init(&pool->lock, "pool");
    return pool;
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    assert(pool->magic == POOL_MAGIC);
    pool->magic = 0;
    while (pool->newest) {
        struct area *area = pool->newest;
        pool->newest = area->before;
        pool_unmap(area, area->size);
    }
    lock_destroy(&pool->lock);
    free(pool);
}

static bool add_area(struct pool *pool)
{
    size_t size = pool->newest ? 2 * pool->newest->size : FIRST_AREA;
    if (size > LARGEST_AREA)
        size = LARGEST_AREA;
    struct area *area = pool_map(size);
    if (!area)
        return false;
    *area = (struct area){.before = pool->newest, .size = size};
    pool->newest = area;
    pool->at = (char *)area + sizeof *area;
    pool->end = (char *)area + size;
    return true;
}

/* What is left at the end of an area is less than a piece and is left there, and so is what comes
 * before one of whole lines, which begins with a line. */
static void *cut(struct pool *pool, size_t room)
{
    size_t apart = room % LINE ? 0 : -(uintptr_t)pool->at % LINE;
    if ((size_t)(pool->end - pool->at) < apart + room) {
        if (!add_area(pool))
            return NULL;
        apart = room % LINE ? 0 : LINE - sizeof(struct area);
    }
    void *piece = pool->at + apart;
    pool->at += apart + room;
    return piece;
}

void *pool_take(struct pool *pool, size_t size)
{
    size_t room;
    if (!pool || size > POOL_MAX_PIECE)
        return malloc(size);
    size_t class = class_of(size, &room);
    lock_take(&pool->lock);
    struct piece *given = pool->given[class];
    void *piece = given;
    if (given)
        pool->given[class] = given->next;
    else
        piece = cut(pool, room);
    lock_release(&pool->lock);
    return piece;
}

void pool_give(struct pool *pool, void *piece, size_t size)
{
    size_t room;
    if (!piece)
        return;
    if (!pool || size > POOL_MAX_PIECE) {
        free(piece);
        return;
    }
    size_t class = class_of(size, &room);
    struct piece *given = piece;
    lock_take(&pool->lock);
    given->next = pool->given[class];
    pool->given[class] = given;
    lock_release(&pool->lock);
}
