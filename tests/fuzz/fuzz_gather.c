/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Changes named by the first bytes, gathered and edited, on the message behind them.
 */
#include "../unit/proxy/exercise_gather.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	exercise_gather(bytes, size);
	return 0;
}
