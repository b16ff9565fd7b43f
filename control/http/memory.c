/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What jemalloc says of the memory that control uses. Workers do not allocate: their
 * pools are mapped once and are not in these figures.
 */
#include "http/api.h"

#include <inttypes.h>
#include <jemalloc/jemalloc.h>

void
bp_metrics_memory(FILE *stream, const char *name)
{
	static const char *const kinds[] = {
		"allocated", "active", "metadata", "resident", "mapped", "retained"};
	uint64_t epoch = 1;
	size_t size = sizeof(epoch);

	mallctl("epoch", &epoch, &size, &epoch, sizeof(epoch)); /* statistics are those of the last epoch */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char key[32];
		size_t value;

		snprintf(key, sizeof(key), "stats.%s", kinds[i]);
		size = sizeof(value);
		if (mallctl(key, &value, &size, NULL, 0) == 0)
			fprintf(stream, "byepass_%s{kind=\"%s\"} %zu\n", name, kinds[i], value);
	}
}
