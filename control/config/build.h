/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the file as written to the snapshot: names become indices, and what no single
 * key can know is checked. One builder lives for one load, on one control thread.
 * build.c starts and joins; build_realms.c makes ports, realms, interfaces and
 * listeners; build_routes.c makes trunks and routes.
 */
#ifndef BYEPASS_CONFIG_BUILD_H
#define BYEPASS_CONFIG_BUILD_H

#include "config/file.h"

/* Names of one list, sorted, so that a hundred thousand routes find their trunk. */
struct bp_name {
	const char *text;
	uint32_t index;
};

struct bp_names {
	struct bp_name *sorted; /* owned */
	uint32_t count;
	bool faulty; /* the list is not whole: an unknown name may be an innocent one */
};

struct bp_builder {
	struct bp_document *document;
	const struct bp_file *file;
	struct bp_config *config;
	struct bp_names ports, realms, trunks;
	uint16_t *first_interface; /* of each realm, and one past the end; owned */
	char path[192];            /* of bp_builder_path() */
};

/* Makes @config, zeroed by the caller, of @file; errors go to the document's report, and then @config is only
 * good for being freed. */
void bp_build(struct bp_document *document, const struct bp_file *file, struct bp_config *config);

/* The parts, in this order. */
void bp_build_ports(struct bp_builder *b);
void bp_build_realms(struct bp_builder *b);
void bp_build_trunks(struct bp_builder *b);
void bp_build_routes(struct bp_builder *b);

/* Makes config->route_index of @count routes in all, those of files included, and checks that each can be reached. */
struct bp_route_source {
	const char *prefix; /* not NUL-terminated when from a file */
	uint32_t route;     /* index into config->routes */
	uint32_t line;      /* of its file; 0: the route's own */
	uint16_t trunk;
	uint8_t prefix_size;
};
/* Sorts @sources. Routes that are never reached are reported. @always: also when there are few. */
void bp_build_route_index(struct bp_builder *b, struct bp_route_source *sources, uint32_t count, bool always);
void bp_route_index_free(struct bp_route_index *index);
/* The order of precedence, for qsort(). */
int bp_route_compare(const struct bp_config_route *a, const struct bp_config_route *b);

/* Reads the prefixes of routes[@route] (of the file), and appends them to @sources of @room, which grow. */
struct bp_route_sources {
	struct bp_route_source *list; /* owned */
	uint32_t count, room;
	char **texts; /* contents of the files, to which sources point; owned */
	uint32_t text_count;
};
bool bp_route_sources_add(struct bp_builder *b, struct bp_route_sources *sources, struct bp_route_source source);
void bp_build_prefixes(struct bp_builder *b, struct bp_route_sources *sources, uint32_t route, uint32_t in_file);

/* calloc that reports failure. */
void *bp_builder_alloc(struct bp_builder *b, size_t count, size_t size);

/* A path such as "realms[1].port" in the builder's buffer, good until the next call. */
const char *bp_builder_path(struct bp_builder *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Why a host in the network that the prefix names cannot have its address ("a multicast address"), or NULL. */
const char *bp_builder_unusable(const struct bp_prefix *prefix);

/* The node of @key in @map, or @map itself when the key is not there. */
const yaml_node_t *bp_builder_at(struct bp_builder *b, const yaml_node_t *map, const char *key);

/* Collects the names of the list called @list, whose items are structs of @size bytes with a node first and
 * the name at @offset; reports names that are there twice. */
void bp_names_collect(struct bp_builder *b, struct bp_names *names, const struct bp_schema_list *items,
	size_t size, size_t offset, const char *list);

/* Looks @name up. Unknown: reports it at @node as a @what ("realm") at the builder's path, unless it may be a
 * consequence of an error reported already. False: not found. */
bool bp_names_find(struct bp_builder *b, const struct bp_names *names, const char *name,
	const yaml_node_t *node, const char *what, uint16_t *index);

#endif
