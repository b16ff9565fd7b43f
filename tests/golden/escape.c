/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See escape.h.
 */
#include "escape.h"

#include <stdlib.h>
#include <string.h>

size_t
golden_unescape(uint8_t *text, size_t size)
{
	uint8_t *in = malloc(size + 4), *out = text;
	size_t at = 0;

	memcpy(in, text, size);
	memset(in + size, 0, 4);
	while (at < size) {
		uint8_t c = in[at++];

		if (c == '\n') {
			*out++ = '\r';
			*out++ = '\n';
		} else if (c != '\\') {
			*out++ = c;
		} else if ((c = in[at++]) == 'r') {
			*out++ = '\r';
		} else if (c == 'n') {
			*out++ = '\n';
		} else if (c == 'c' && in[at] == '\n') {
			at++;
		} else if (c == 'x') {
			char digits[3] = {(char)in[at], (char)in[at + 1], 0};

			*out++ = (uint8_t)strtoul(digits, NULL, 16);
			at += 2;
		} else {
			*out++ = c;
		}
	}
	free(in);
	return (size_t)(out - text);
}
