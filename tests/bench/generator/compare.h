/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Comparing and copying messages, once per instruction set; the best that the machine has is chosen at start.
 */
#ifndef BYEPASS_BENCH_COMPARE_H
#define BYEPASS_BENCH_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#define COMPARE_STEP 64

struct compare {
	const char *name;
	bool (*supported)(void);
	/* Whether @bytes are @expected wherever @mask is 0xff; it is 0 elsewhere. @expected and @mask are
	 * aligned to COMPARE_STEP, their size is @size rounded up to that, with 0 behind @size. Of @bytes as much
	 * is read. @expected is 0 where @mask is. */
	bool (*masked)(const uint8_t *bytes, const uint8_t *expected, const uint8_t *mask, uint32_t size);
	/* Whether all bytes may stand in an opaque field: letters, digits and what else cannot end a token, a
	 * parameter or a URI's user: - . _ ~ ! * ' + % = $ & / */
	bool (*opaque)(const uint8_t *bytes, uint32_t size);
	/* Copies @size bytes, rounded up to COMPARE_STEP, of which both have enough; @from is aligned. */
	void (*copy)(uint8_t *to, const uint8_t *from, uint32_t size);
};

/* Best first, NULL at the end; the last is supported everywhere. */
extern const struct compare *const compare_variants[];

const struct compare *compare_choose(void);

#endif
