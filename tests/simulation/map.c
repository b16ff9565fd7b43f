/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A hash map from hashes to pointers, by open addressing. Nothing is ever taken out.
 */
#include "sim.h"

#include <stdlib.h>

struct map {
	struct place {
		uint64_t key;
		void *value;
	} *places;
	unsigned count, capacity;
};

struct map *
map_create(void)
{
	struct map *map = calloc(1, sizeof(*map));

	map->capacity = 1024;
	map->places = calloc(map->capacity, sizeof(*map->places));
	return map;
}

void
map_free(struct map *map)
{
	free(map->places);
	free(map);
}

static struct place *
place_of(const struct map *map, uint64_t key)
{
	unsigned at = (unsigned)key & (map->capacity - 1);

	while (map->places[at].value != NULL && map->places[at].key != key)
		at = (at + 1) & (map->capacity - 1);
	return &map->places[at];
}

static void
grow(struct map *map)
{
	struct place *old = map->places;
	unsigned count = map->capacity;

	map->capacity *= 2;
	map->places = calloc(map->capacity, sizeof(*map->places));
	for (unsigned i = 0; i < count; i++)
		if (old[i].value != NULL)
			*place_of(map, old[i].key) = old[i];
	free(old);
}

void
map_add(struct map *map, uint64_t key, void *value)
{
	if (2 * ++map->count > map->capacity)
		grow(map);
	*place_of(map, key) = (struct place){key, value};
}

void *
map_find(const struct map *map, uint64_t key)
{
	return place_of(map, key)->value;
}
