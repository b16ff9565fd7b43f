/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fields that parsers are asked for, as text. Also used by the differential test.
 */
#include "parse.h"

#include <stdio.h>
#include <string.h>

const char *const parse_field_names[PARSE_FIELD_COUNT] = {
#define X(name) #name,
	PARSE_FIELDS(X)
#undef X
};

void
parse_field_set(struct parse_fields *fields, enum parse_field field, const void *text, uint32_t size)
{
	char *to = fields->text[field];

	if (text == NULL || size == 0)
		return;
	if (size >= PARSE_TEXT_MAX)
		size = PARSE_TEXT_MAX - 1;
	memcpy(to, text, size);
	to[size] = 0;
}

void
parse_field_text(struct parse_fields *fields, enum parse_field field, const char *text)
{
	if (text)
		parse_field_set(fields, field, text, (uint32_t)strlen(text));
}

void
parse_field_number(struct parse_fields *fields, enum parse_field field, uint32_t number)
{
	snprintf(fields->text[field], PARSE_TEXT_MAX, "%u", number);
}
