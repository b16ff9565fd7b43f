/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Seeded spoiling of messages, for the hostile tests.
 */
#ifndef BYEPASS_TESTS_FLOWS_MUTATE_H
#define BYEPASS_TESTS_FLOWS_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUTATE_SIZE_MAX 65535

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
/* 0 .. @n - 1. */
unsigned random_below(struct random *random, unsigned n);

/* Spoils the @size bytes at @bytes in one to four ways; @bytes has room for MUTATE_SIZE_MAX. @other:
 * something to splice in, may be NULL. Returns the new size. */
size_t mutate(struct random *random, uint8_t *bytes, size_t size, const char *other);

#endif
