/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See support.h.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

const struct bp_sip_limits wide_limits = {.headers = 255, .vias = 128, .uri = 2048};

enum bp_sip_fault
parse_bytes(struct bp_sip_message *m, const void *bytes, size_t size)
{
	static uint8_t *kept;

	free(kept);
	kept = malloc(size ? size : 1);
	memcpy(kept, bytes, size);
	return bp_sip_parse(m, kept, (uint32_t)size, &wide_limits);
}

enum bp_sip_fault
parse_text(struct bp_sip_message *m, const char *text)
{
	return parse_bytes(m, text, strlen(text));
}

void
check_span(const struct bp_sip_message *m, struct bp_span span, const char *expected, const char *what,
	const char *file, int line)
{
	char text[512];

	snprintf(text, sizeof(text), "%.*s", (int)span.size, bp_sip_at(m, span));
	if (span.size != strlen(expected) || memcmp(bp_sip_at(m, span), expected, span.size) != 0) {
		print_error("%s is \"%s\", not \"%s\"\n", what, text, expected);
		_fail(file, line);
	}
}

uint8_t *
read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;

	if (file == NULL)
		return NULL;
	bytes = malloc(65536);
	*size = fread(bytes, 1, 65536, file);
	fclose(file);
	return bytes;
}

uint64_t
random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}
