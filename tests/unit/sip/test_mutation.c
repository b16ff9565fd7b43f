/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All golden messages, as they are and mutated by a seeded generator, through everything
 * that the library does. Deterministic; a second or two under sanitizers.
 */
#include "support.h"

#include "../../golden/escape.h"
#include "exercise.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES_MAX 256
#define ROUNDS 60000

static struct {
	uint8_t *bytes;
	size_t size;
} messages[FILES_MAX];
static unsigned count;

static int
load(void **state)
{
	const char *folder = getenv("BYEPASS_GOLDEN");
	struct dirent **entries;
	char path[512];
	int found = folder ? scandir(folder, &entries, NULL, alphasort) : -1;

	for (int i = 0; i < found; i++) {
		size_t size = strlen(entries[i]->d_name);

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (size > 4 && strcmp(entries[i]->d_name + size - 4, ".sip") == 0 && count < FILES_MAX) {
			messages[count].bytes = read_file(path, &messages[count].size);
			messages[count].bytes = realloc(messages[count].bytes, 2 * messages[count].size + 1);
			messages[count].size = golden_unescape(messages[count].bytes, messages[count].size);
			count++;
		}
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return count ? 0 : -1;
}

static int
unload(void **state)
{
	while (count)
		free(messages[--count].bytes);
	return 0;
}

static void
as_they_are(void **state)
{
	for (unsigned i = 0; i < count; i++)
		exercise_message(messages[i].bytes, (uint32_t)messages[i].size);
}

/* One change: a byte, a separator, a cut, a piece copied within or from another message. */
static size_t
mutate(uint8_t *bytes, size_t size, size_t room, uint64_t *seed)
{
	static const char separators[] = "\r\n\r\n \t:;,<>\"\\/@=?%[]().0v";
	uint32_t at = random_below(seed, (uint32_t)size + 1), length = 1 + random_below(seed, 40);

	switch (random_below(seed, 6)) {
	case 0:
		if (at < size)
			bytes[at] = (uint8_t)random_next(seed);
		break;
	case 1:
		if (at < size)
			bytes[at] = (uint8_t)separators[random_below(seed, sizeof(separators) - 1)];
		break;
	case 2:
		if (size + 1 < room) {
			memmove(bytes + at + 1, bytes + at, size - at);
			bytes[at] = (uint8_t)separators[random_below(seed, sizeof(separators) - 1)];
			size++;
		}
		break;
	case 3:
		if (at + length <= size) {
			memmove(bytes + at, bytes + at + length, size - at - length);
			size -= length;
		}
		break;
	case 4: {
		unsigned other = random_below(seed, count);
		uint32_t from = random_below(seed, (uint32_t)messages[other].size + 1);

		if (from + length <= messages[other].size && size + length < room) {
			memmove(bytes + at + length, bytes + at, size - at);
			memcpy(bytes + at, messages[other].bytes + from, length);
			size += length;
		}
		break;
	}
	default:
		if (random_below(seed, 8) == 0)
			size = at;
		break;
	}
	return size;
}

static void
mutated(void **state)
{
	static uint8_t bytes[8192];
	uint64_t seed = 4475;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned which = random_below(&seed, count), changes = 1 + random_below(&seed, 5);
		size_t size = messages[which].size;

		memcpy(bytes, messages[which].bytes, size);
		while (changes--)
			size = mutate(bytes, size, sizeof(bytes), &seed);
		exercise_message(bytes, (uint32_t)size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_they_are),
		cmocka_unit_test(mutated),
	};

	return cmocka_run_group_tests_name("mutation", tests, load, unload);
}
