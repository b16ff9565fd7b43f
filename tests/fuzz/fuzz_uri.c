/* SPDX-License-Identifier: BSD-3-Clause
 *
 * URIs, addresses with their parameters, hosts.
 */
#include "../unit/sip/exercise.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size <= 65535)
		exercise_uri(bytes, (uint32_t)size);
	return 0;
}
