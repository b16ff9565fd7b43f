/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A YAML file as a tree of nodes that know their line and column: a thin layer over
 * libyaml's document API, which resolves anchors. One document, its root a mapping;
 * anything else is reported. Nodes are owned by the document.
 */
#ifndef BYEPASS_CONFIG_DOCUMENT_H
#define BYEPASS_CONFIG_DOCUMENT_H

#include "config/report.h"

#include <yaml.h>

struct bp_document {
	yaml_document_t yaml;
	bool loaded;
	struct bp_report *report; /* where errors about its nodes go */
};

/* Parses @text. False: not YAML, empty, several documents or no mapping; reported. Close it either way. */
bool bp_document_open(struct bp_document *document, const char *text, size_t size, struct bp_report *report);
void bp_document_close(struct bp_document *document);

yaml_node_t *bp_document_root(struct bp_document *document);

/* The value of @key in mapping @map, or NULL when it is not there (or @map is NULL). */
yaml_node_t *bp_document_get(struct bp_document *document, const yaml_node_t *map, const char *key);

/* What stands at @node, for an error message: "500" in quotes, "nothing", "a list", "a mapping". Returns
 * @out. */
const char *bp_document_found(const yaml_node_t *node, char *out, size_t size);

/* Reports an error at @node; NULL: about the file. */
void bp_document_error(struct bp_document *document, const yaml_node_t *node, const char *path,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Text of a scalar; it ends with a NUL. */
static inline const char *
bp_node_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* Number of the line that @node stands on, from 1. */
static inline unsigned
bp_node_line(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

#endif
