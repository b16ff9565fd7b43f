/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Golden messages are text files: each line end stands for CRLF, and a backslash for
 * \r \n \\ \xHH, or \c at a line's end: no line end here.
 */
#ifndef BYEPASS_TESTS_GOLDEN_ESCAPE_H
#define BYEPASS_TESTS_GOLDEN_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/* From a file's text to a message, in place; @text has room for twice its size. Returns the message's size. */
size_t golden_unescape(uint8_t *text, size_t size);

#endif
