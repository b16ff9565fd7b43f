/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The schema as Markdown, for docs/configuration.md. A test compares the two.
 */
#include "config/file.h"
#include "config/load.h"

#include <ctype.h>
#include <string.h>

/* What goes into the value column: type, range, special words, list or not. */
static void
describe_value(const struct bp_schema_row *row, FILE *stream)
{
	char range[256] = "";

	if (row->shape == BP_SHAPE_MAPPING || row->shape == BP_SHAPE_MAPPINGS) {
		fprintf(stream, "%s", row->shape == BP_SHAPE_MAPPING ? "mapping" : "list of mappings");
		if (row->shape == BP_SHAPE_MAPPINGS)
			fprintf(stream, ", %u to %u", row->items_min, row->items_max);
		return;
	}
	if (row->type->range != NULL)
		row->type->range(row, range, sizeof(range));
	if (row->shape == BP_SHAPE_MANY)
		fprintf(stream, "list of %u to %u: ", row->items_min, row->items_max);
	fprintf(stream, "%s%s%s", row->type->name, range[0] != '\0' ? " " : "", range);
	if (row->words != NULL && row->type->range != bp_type_word.range)
		fprintf(stream, ", or `%s`", row->words[0]);
	if (row->shape == BP_SHAPE_ONE_OR_MANY)
		fprintf(stream, "; or a list of 1 to %u", row->items_max);
}

static void
describe_default(const struct bp_schema_row *row, FILE *stream)
{
	if (row->required)
		fprintf(stream, "required");
	else if (row->standard == NULL)
		fprintf(stream, "none");
	else if (row->standard[0] == '\0')
		fprintf(stream, "empty");
	else if (row->shape == BP_SHAPE_MANY)
		fprintf(stream, "`[%s]`", row->standard);
	else
		fprintf(stream, "`%s`", row->standard);
}

static void
describe(const struct bp_schema *schema, const char *path, FILE *stream)
{
	char inner[128];

	fprintf(stream, "| key | value | default | what it is |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < schema->count; i++) {
		const struct bp_schema_row *row = &schema->rows[i];

		fprintf(stream, "| `%s` | ", row->key);
		describe_value(row, stream);
		fprintf(stream, " | ");
		if (row->shape == BP_SHAPE_MAPPING)
			fprintf(stream, "as below");
		else
			describe_default(row, stream);
		fprintf(stream, " | %s |\n", row->text);
	}
	for (size_t i = 0; i < schema->count; i++) {
		const struct bp_schema_row *row = &schema->rows[i];

		if (row->inner == NULL)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s%s", path, path[0] != '\0' ? "." : "", row->key,
			row->shape == BP_SHAPE_MAPPINGS ? "[]" : "");
		fprintf(stream, "\n### `%s`\n\n", inner);
		describe(row->inner, inner, stream);
	}
}

void
bp_config_describe(FILE *stream)
{
	describe(&bp_file_schema, "", stream);
}
