/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Does to arbitrary bytes all that the library can do, and aborts when something that
 * must hold does not. Shared by the mutation test and the fuzz targets.
 */
#ifndef BYEPASS_TESTS_SIP_EXERCISE_H
#define BYEPASS_TESTS_SIP_EXERCISE_H

#include <stdint.h>

/* The bytes as a datagram: parsed with each variant of the scanner, all views alike; all spans inside; everything
 * cut open; edited and parsed again; answered. */
void exercise_message(const uint8_t *bytes, uint32_t size);

/* The bytes as a Via value, a URI, an address, a host. */
void exercise_via(const uint8_t *bytes, uint32_t size);
void exercise_uri(const uint8_t *bytes, uint32_t size);

/* The first half of the bytes says which edits, the second half is the message. */
void exercise_edit(const uint8_t *bytes, uint32_t size);

/* Two URIs, split at the first line feed: equal the same way round and back, and each to itself. */
void exercise_compare(const uint8_t *bytes, uint32_t size);

#endif
