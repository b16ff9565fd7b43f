/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The schema as tables. One row is one key: its type, unit, default, range and the
 * line of documentation. The same rows read a file (schema.c), and write
 * docs/configuration.md (describe.c). What a single row cannot know, such as whether
 * a name exists, is checked afterwards by build.c.
 */
#ifndef BYEPASS_CONFIG_SCHEMA_H
#define BYEPASS_CONFIG_SCHEMA_H

#include "config/document.h"
#include "config/units.h"

enum bp_schema_shape {
	BP_SHAPE_ONE,         /* a scalar */
	BP_SHAPE_MANY,        /* a list of scalars */
	BP_SHAPE_ONE_OR_MANY, /* a scalar, or a list of them */
	BP_SHAPE_MAPPING,     /* keys of `inner` */
	BP_SHAPE_MAPPINGS,    /* a list of such mappings */
};

struct bp_schema_row;

/* How a scalar is written. */
struct bp_schema_type {
	const char *name;    /* in the documentation: "duration" */
	const char *example; /* in an error message, after "such as"; NULL: none */
	/* Stores the value of @text at @out, which has row->size bytes. NULL: good. Otherwise why it is not,
	 * as a remark for the error message, "" when "expected ..." says it all. */
	const char *(*parse)(const struct bp_schema_row *row, const char *text, void *out);
	/* Writes the permitted range as the user would write it; NULL: the type's name says it all. */
	void (*range)(const struct bp_schema_row *row, char *out, size_t size);
};

struct bp_schema_row {
	const char *key;
	const struct bp_schema_type *type; /* of the scalar, or of the items of a list of scalars */
	enum bp_schema_shape shape;
	bool required;
	const char *standard;          /* default, as the user would write it; NULL: none */
	uint64_t min, max;             /* number: value; duration: microseconds; text: bytes */
	const char *const *words;      /* words that stand for 0, 1, 2, ...; ends with NULL */
	uint32_t items_min, items_max; /* of a list */
	size_t offset;                 /* in the struct that the schema fills */
	size_t size;                   /* of the value; for lists of one item */
	const struct bp_schema *inner;
	const char *text; /* the line of documentation */
};

/* A mapping: its keys, and the struct that it fills, whose first member is the mapping's yaml_node_t pointer.
 */
struct bp_schema {
	const char *name; /* "a realm" */
	const struct bp_schema_row *rows;
	size_t count;
	size_t size; /* of the struct */
};

/* A list as read. Items of mappings are the schema's structs; items of scalars are struct bp_schema_item. */
struct bp_schema_list {
	void *items; /* owned */
	uint32_t count;
	bool faulty; /* an item was refused and is not here: what refers to it may be right */
};

/* A scalar in a list, and where it stands. The value follows at once. */
struct bp_schema_item {
	const yaml_node_t *node;
	_Alignas(8) unsigned char value[];
};

/* Item @i of a list of scalars whose values have @size bytes. */
struct bp_schema_item *bp_schema_item(const struct bp_schema_list *list, uint32_t i, size_t size);

/* Reads @node into the zeroed struct at @out by @schema; defaults stand in for what is absent. @node NULL:
 * defaults only. Errors go to the document's report, and leave zeroes where the value should be.
 * @path: where @node is, "" for the root. Free with bp_schema_free() either way. */
void bp_schema_read(struct bp_document *document, const struct bp_schema *schema, const yaml_node_t *node,
	const char *path, void *out);

/* Frees the lists inside the struct at @out, not the struct. */
void bp_schema_free(const struct bp_schema *schema, void *out);

/* "a duration from 1ms to 10s, such as 500ms": what a row expects. Returns @out. */
const char *bp_schema_expected(const struct bp_schema_row *row, char *out, size_t size);

/* The scalar types. */
extern const struct bp_schema_type bp_type_number;   /* uint8_t to uint64_t by row->size; words stand for 0 */
extern const struct bp_schema_type bp_type_duration; /* uint64_t of microseconds; words stand for 0 */
extern const struct bp_schema_type bp_type_flush;    /* the same, words stand for their index */
extern const struct bp_schema_type bp_type_word;     /* int: index into row->words */
extern const struct bp_schema_type bp_type_later; /* char[]: only its word is good yet, which stands for "" */
extern const struct bp_schema_type bp_type_name;  /* char[]: letters, digits and . _ - */
extern const struct bp_schema_type bp_type_text;  /* char[]: printable; words stand for "" */
extern const struct bp_schema_type bp_type_path;  /* char[]: absolute or relative; words stand for "" */
extern const struct bp_schema_type bp_type_device; /* char[]: DPDK device with its arguments */
extern const struct bp_schema_type bp_type_ip;     /* struct bp_endpoint, port 0 */
extern const struct bp_schema_type bp_type_prefix; /* struct bp_prefix */
extern const struct bp_schema_type bp_type_listen; /* uint16_t: UDP port */
extern const struct bp_schema_type bp_type_name_server; /* struct bp_endpoint; words: family 0, the word's number as port */
extern const struct bp_schema_type bp_type_http;   /* char[]: "ip:port"; words stand for "" */
extern const struct bp_schema_type bp_type_uri;    /* struct bp_uri_value */
extern const struct bp_schema_type bp_type_domain; /* char[]: host, made lower case */

/* The URI of a target: text and what it says. */
struct bp_uri_value {
	struct bp_endpoint endpoint; /* family 0: a name, and port 0 unless written */
	uint16_t host_size;          /* of a name, which follows the scheme */
	char text[256];
};

#endif
