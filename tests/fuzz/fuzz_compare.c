/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pairs of URIs, split by a line feed: equality is symmetric.
 */
#include "../unit/sip/exercise.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size <= 65535)
		exercise_compare(bytes, (uint32_t)size);
	return 0;
}
