/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reads YAML nodes by the tables, see schema.h.
 */
#include "config/schema.h"

#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 224

struct reader {
	struct bp_document *document;
	const struct bp_schema_row *row;
	const char *path; /* of the row's value */
};

const char *
bp_schema_expected(const struct bp_schema_row *row, char *out, size_t size)
{
	char range[256] = "";
	const char *article;
	int used;

	if (row->shape == BP_SHAPE_MAPPING || row->shape == BP_SHAPE_MAPPINGS) {
		snprintf(out, size, row->shape == BP_SHAPE_MAPPING ? "a mapping" : "a list of mappings");
		return out;
	}
	article = strchr("aeiouAEIOU", row->type->name[0]) != NULL ? "an" : "a";
	if (row->type->range != NULL)
		row->type->range(row, range, sizeof(range));
	used = snprintf(out, size, "%s %s%s%s", article, row->type->name, range[0] != '\0' ? " " : "", range);
	if (row->type->example != NULL)
		used += snprintf(out + used, size - (size_t)used, ", such as %s", row->type->example);
	for (size_t i = 0;
		row->words != NULL && row->type->range != bp_type_word.range && row->words[i] != NULL; i++)
		used += snprintf(out + used, size - (size_t)used, ", or %s", row->words[i]);
	return out;
}

/* Reports that @node is not what the row wants. */
static void
refuse(const struct reader *r, const yaml_node_t *node, const char *path, const char *remark)
{
	char found[128], expected[384];

	bp_document_found(node, found, sizeof(found));
	bp_schema_expected(r->row, expected, sizeof(expected));
	if (remark[0] != '\0')
		bp_document_error(
			r->document, node, path, "found %s, expected %s (%s)", found, expected, remark);
	else
		bp_document_error(r->document, node, path, "found %s, expected %s", found, expected);
}

static bool
read_scalar(const struct reader *r, const yaml_node_t *node, const char *path, void *out)
{
	const char *remark = "";

	if (node->type == YAML_SCALAR_NODE && strlen(bp_node_text(node)) == node->data.scalar.length)
		remark = r->row->type->parse(r->row, bp_node_text(node), out);
	if (remark == NULL)
		return true;
	memset(out, 0, r->row->size);
	refuse(r, node, path, remark);
	return false;
}

static size_t
item_size(const struct bp_schema_row *row)
{
	if (row->shape == BP_SHAPE_MAPPINGS)
		return row->inner->size;
	return sizeof(struct bp_schema_item) + (row->size + 7) / 8 * 8;
}

struct bp_schema_item *
bp_schema_item(const struct bp_schema_list *list, uint32_t i, size_t size)
{
	return (struct bp_schema_item *)((char *)list->items +
					 i * (sizeof(struct bp_schema_item) + (size + 7) / 8 * 8));
}

/* Appends one item to the list, which has room for it. */
static void
read_item(const struct reader *r, const yaml_node_t *node, const char *path, struct bp_schema_list *list)
{
	char *place = (char *)list->items + list->count * item_size(r->row);
	unsigned before = r->document->report->errors;

	if (r->row->shape == BP_SHAPE_MAPPINGS) {
		if (node->type != YAML_MAPPING_NODE) {
			char found[128];

			bp_document_error(r->document, node, path, "found %s, expected %s: a mapping",
				bp_document_found(node, found, sizeof(found)), r->row->inner->name);
			memcpy(place, &node, sizeof(node)); /* the index of those behind it stays right */
		} else {
			bp_schema_read(r->document, r->row->inner, node, path, place);
		}
		list->count++;
	} else {
		struct bp_schema_item *item = (struct bp_schema_item *)place;

		item->node = node;
		if (read_scalar(r, node, path, item->value))
			list->count++;
	}
	if (r->document->report->errors != before)
		list->faulty = true;
}

static bool
make_room(const struct reader *r, size_t count, struct bp_schema_list *list)
{
	list->items = calloc(count > 0 ? count : 1, item_size(r->row));
	if (list->items == NULL)
		bp_report_error(r->document->report, 0, 0, r->path, "out of memory");
	return list->items != NULL;
}

static void
read_list(const struct reader *r, const yaml_node_t *node, struct bp_schema_list *list)
{
	const yaml_node_item_t *start = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - start);
	char path[PATH_SIZE];

	if (count < r->row->items_min || count > r->row->items_max) {
		bp_document_error(r->document, node, r->path, "found %zu entries, expected %u to %u", count,
			r->row->items_min, r->row->items_max);
		list->faulty = true;
		return;
	}
	if (!make_room(r, count, list))
		return;
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%.160s[%zu]", r->path, i);
		read_item(r, yaml_document_get_node(&r->document->yaml, start[i]), path, list);
	}
}

/* A list that is absent, with a default: one item, as the default says. */
static void
default_list(const struct reader *r, struct bp_schema_list *list)
{
	struct bp_schema_item *item;

	if (r->row->standard == NULL || r->row->shape == BP_SHAPE_MAPPINGS || !make_room(r, 1, list))
		return;
	item = list->items;
	if (r->row->type->parse(r->row, r->row->standard, item->value) == NULL)
		list->count = 1;
}

static void
read_many(const struct reader *r, const yaml_node_t *node, struct bp_schema_list *list)
{
	char found[128];

	if (node == NULL) {
		default_list(r, list);
	} else if (node->type == YAML_SEQUENCE_NODE) {
		read_list(r, node, list);
	} else if (r->row->shape == BP_SHAPE_ONE_OR_MANY) {
		if (make_room(r, 1, list))
			read_item(r, node, r->path, list);
	} else {
		bp_document_error(r->document, node, r->path, "found %s, expected a list",
			bp_document_found(node, found, sizeof(found)));
		list->faulty = true;
	}
}

static void
read_mapping(const struct reader *r, const yaml_node_t *node, void *out)
{
	if (node != NULL && node->type != YAML_MAPPING_NODE) {
		refuse(r, node, r->path, "");
		node = NULL;
	}
	bp_schema_read(r->document, r->row->inner, node, r->path, out);
}

static void
read_row(const struct reader *r, const yaml_node_t *map, const yaml_node_t *node, void *out)
{
	char expected[384];

	if (node == NULL && r->row->required && map != NULL) {
		bp_document_error(r->document, map, r->path, "found nothing, expected %s",
			bp_schema_expected(r->row, expected, sizeof(expected)));
		if (r->row->shape != BP_SHAPE_ONE && r->row->shape != BP_SHAPE_MAPPING)
			((struct bp_schema_list *)out)->faulty = true;
		return;
	}
	switch (r->row->shape) {
	case BP_SHAPE_ONE:
		if (node != NULL)
			read_scalar(r, node, r->path, out);
		else if (r->row->standard != NULL)
			r->row->type->parse(r->row, r->row->standard, out);
		break;
	case BP_SHAPE_MAPPING:
		read_mapping(r, node, out);
		break;
	case BP_SHAPE_MANY:
	case BP_SHAPE_ONE_OR_MANY:
	case BP_SHAPE_MAPPINGS:
		read_many(r, node, out);
		break;
	}
}

static const struct bp_schema_row *
find_row(const struct bp_schema *schema, const char *key)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->rows[i].key, key) == 0)
			return &schema->rows[i];
	}
	return NULL;
}

static void
list_keys(const struct bp_schema *schema, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < schema->count && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", i > 0 ? ", " : "", schema->rows[i].key);
}

/* Refuses keys that are unknown, not plain, or there twice. */
static void
check_keys(struct bp_document *document, const struct bp_schema *schema, const yaml_node_t *map,
	const char *path)
{
	const yaml_node_pair_t *start = map->data.mapping.pairs.start;
	char found[128], keys[256], at[PATH_SIZE];

	for (const yaml_node_pair_t *pair = start; pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&document->yaml, pair->key);
		const yaml_node_t *first = NULL;

		bp_document_found(key, found, sizeof(found));
		if (key->type != YAML_SCALAR_NODE || find_row(schema, bp_node_text(key)) == NULL) {
			list_keys(schema, keys, sizeof(keys));
			bp_document_error(
				document, key, path, "found unknown key %s, expected one of %s", found, keys);
			continue;
		}
		for (const yaml_node_pair_t *p = start; p < pair && first == NULL; p++) {
			const yaml_node_t *other = yaml_document_get_node(&document->yaml, p->key);

			if (other->type == YAML_SCALAR_NODE &&
				strcmp(bp_node_text(other), bp_node_text(key)) == 0)
				first = other;
		}
		snprintf(at, sizeof(at), "%s%s%s", path, path[0] != '\0' ? "." : "", bp_node_text(key));
		if (first != NULL)
			bp_document_error(document, key, at,
				"found the key again, expected it once (it is on line %u)",
				bp_node_line(first));
	}
}

void
bp_schema_read(struct bp_document *document, const struct bp_schema *schema, const yaml_node_t *node,
	const char *path, void *out)
{
	char at[PATH_SIZE];

	memcpy(out, &node, sizeof(node));
	if (node != NULL)
		check_keys(document, schema, node, path);
	for (size_t i = 0; i < schema->count; i++) {
		struct reader r = {.document = document, .row = &schema->rows[i], .path = at};

		snprintf(at, sizeof(at), "%s%s%s", path, path[0] != '\0' ? "." : "", r.row->key);
		read_row(&r, node, bp_document_get(document, node, r.row->key), (char *)out + r.row->offset);
	}
}

static void
free_list(const struct bp_schema_row *row, struct bp_schema_list *list)
{
	if (row->shape == BP_SHAPE_MAPPINGS) {
		for (uint32_t i = 0; i < list->count; i++)
			bp_schema_free(row->inner, (char *)list->items + i * row->inner->size);
	}
	free(list->items);
	memset(list, 0, sizeof(*list));
}

void
bp_schema_free(const struct bp_schema *schema, void *out)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct bp_schema_row *row = &schema->rows[i];
		void *field = (char *)out + row->offset;

		if (row->shape == BP_SHAPE_MAPPING)
			bp_schema_free(row->inner, field);
		else if (row->shape != BP_SHAPE_ONE)
			free_list(row, field);
	}
}
