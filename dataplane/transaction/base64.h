/* SPDX-License-Identifier: BSD-3-Clause
 *
 * base64url (RFC 4648 5) without padding, of a few bytes. Pure functions; any thread.
 */
#ifndef BYEPASS_TRANSACTION_BASE64_H
#define BYEPASS_TRANSACTION_BASE64_H

#include <stdbool.h>
#include <stdint.h>

#define BP_BASE64_BYTES 48 /* the most there are */
#define BP_BASE64_TEXT 64  /* what they make */

/* The first @size bytes of @in become characters of @out; more than those may be written. Both buffers whole. */
void bp_base64_encode(const uint8_t in[BP_BASE64_BYTES + 8], unsigned size, char out[BP_BASE64_TEXT]);

/* The first @size characters, a multiple of four, become bytes. False: one of them is none of the alphabet. */
bool bp_base64_decode(const char text[BP_BASE64_TEXT], unsigned size, uint8_t out[BP_BASE64_BYTES + 8]);

/* The value of a character, 64: none. */
uint8_t bp_base64_value(uint8_t c);

/* Vectors are in use. Set when the program is loaded; tests may unset it, with no thread running. */
extern bool bp_base64_vectors;

#endif
