/* SPDX-License-Identifier: BSD-3-Clause
 *
 * YAML to nodes, see document.h.
 */
#include "config/document.h"

#include <stdarg.h>
#include <string.h>

#define DEPTH_MAX 16u

static void
report_syntax(struct bp_report *report, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "out of memory";
	unsigned line = (unsigned)parser->problem_mark.line + 1;
	unsigned column = (unsigned)parser->problem_mark.column + 1;

	if (parser->error == YAML_READER_ERROR)
		bp_report_error(report, 0, 0, "",
			"found bytes that are not text (%s, at byte %zu), expected UTF-8", problem,
			parser->problem_offset);
	else if (parser->context != NULL)
		bp_report_error(report, line, column, "",
			"found something that is not YAML (%s), expected the end of"
			" what began on line %u (%s)",
			problem, (unsigned)parser->context_mark.line + 1, parser->context);
	else
		bp_report_error(report, line, column, "",
			"found something that is not YAML (%s), expected YAML 1.1", problem);
}

/* The loader's work grows with the square of the depth, so the depth is looked at first; what is not YAML is
 * left for the loader to say. Deeper than any configuration can be is refused. */
static bool
is_shallow(const char *text, size_t size, struct bp_report *report)
{
	yaml_parser_t parser;
	yaml_event_t event;
	unsigned depth = 0;
	bool more = true;

	if (!yaml_parser_initialize(&parser))
		return true;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	while (more && depth <= DEPTH_MAX && yaml_parser_parse(&parser, &event)) {
		more = event.type != YAML_STREAM_END_EVENT;
		if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
			depth++;
		else if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
			depth--;
		if (depth > DEPTH_MAX)
			bp_report_error(report, (unsigned)event.start_mark.line + 1,
				(unsigned)event.start_mark.column + 1, "",
				"found a list or mapping %u levels deep, expected at most %u", depth,
				DEPTH_MAX);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return depth <= DEPTH_MAX;
}

/* A second document in the file is refused: which one would count? */
static bool
ends_here(yaml_parser_t *parser, struct bp_report *report)
{
	yaml_document_t second;
	yaml_node_t *root;
	bool ends;

	if (!yaml_parser_load(parser, &second)) {
		report_syntax(report, parser);
		return false;
	}
	root = yaml_document_get_root_node(&second);
	ends = root == NULL;
	if (!ends)
		bp_report_error(report, bp_node_line(root), (unsigned)root->start_mark.column + 1, "",
			"found a second YAML document, expected one");
	yaml_document_delete(&second);
	return ends;
}

bool
bp_document_open(struct bp_document *document, const char *text, size_t size, struct bp_report *report)
{
	yaml_parser_t parser;
	yaml_node_t *root;
	bool good = false;

	memset(document, 0, sizeof(*document));
	document->report = report;
	if (!is_shallow(text, size, report))
		return false;
	if (!yaml_parser_initialize(&parser)) {
		bp_report_error(report, 0, 0, "", "out of memory");
		return false;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &document->yaml)) {
		report_syntax(report, &parser);
		goto out;
	}
	document->loaded = true;
	root = bp_document_root(document);
	if (root == NULL)
		bp_report_error(
			report, 1, 1, "", "found an empty file, expected a mapping with ports, realms, ...");
	else if (root->type != YAML_MAPPING_NODE)
		bp_report_error(report, bp_node_line(root), (unsigned)root->start_mark.column + 1, "",
			"found a %s, expected a mapping with ports, realms, ...",
			root->type == YAML_SEQUENCE_NODE ? "list" : "single value");
	else
		good = ends_here(&parser, report);
out:
	yaml_parser_delete(&parser);
	return good;
}

void
bp_document_close(struct bp_document *document)
{
	if (document->loaded)
		yaml_document_delete(&document->yaml);
	document->loaded = false;
}

yaml_node_t *
bp_document_root(struct bp_document *document)
{
	return yaml_document_get_root_node(&document->yaml);
}

yaml_node_t *
bp_document_get(struct bp_document *document, const yaml_node_t *map, const char *key)
{
	if (map == NULL || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top;
		pair++) {
		const yaml_node_t *name = yaml_document_get_node(&document->yaml, pair->key);

		if (name->type == YAML_SCALAR_NODE && strcmp(bp_node_text(name), key) == 0)
			return yaml_document_get_node(&document->yaml, pair->value);
	}
	return NULL;
}

const char *
bp_document_found(const yaml_node_t *node, char *out, size_t size)
{
	char clean[64];

	if (node->type == YAML_MAPPING_NODE)
		snprintf(out, size, "a mapping");
	else if (node->type == YAML_SEQUENCE_NODE)
		snprintf(out, size, "a list");
	else if (node->data.scalar.length == 0)
		snprintf(out, size, "nothing");
	else
		snprintf(out, size, "\"%s\"",
			bp_report_clean(clean, sizeof(clean), bp_node_text(node), node->data.scalar.length));
	return out;
}

void
bp_document_error(
	struct bp_document *document, const yaml_node_t *node, const char *path, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bp_report_error(document->report, node != NULL ? bp_node_line(node) : 0,
		node != NULL ? (unsigned)node->start_mark.column + 1 : 0, path, "%s", text);
}
