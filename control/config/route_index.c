/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Makes the index of the routes (byepass/route_index.h): sorts them so that those with the same key stand together in
 * the order of their precedence, finds those that can never be reached, and writes entries and hash table.
 */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#define ROUTES_SEARCHED 8 /* so many routes are searched one by one as fast */

struct group {
	const struct bp_route_source *first;
	uint32_t count;
};

/* What a route asks for beside realm and prefix; more is before less. */
static unsigned
specificity(const struct bp_config_route *route)
{
	return (route->domain_size != 0) * 8u + (route->from_domain_size != 0) * 4u + (route->to_domain_size != 0) * 2u +
		(route->methods != 0);
}

static int
sign(int64_t difference)
{
	return (difference > 0) - (difference < 0);
}

int
bp_route_compare(const struct bp_config_route *a, const struct bp_config_route *b)
{
	int order = sign((int64_t)a->from - b->from);

	if (order == 0)
		order = sign((int64_t)b->user_prefix_size - a->user_prefix_size);
	if (order == 0)
		order = sign((int64_t)specificity(b) - specificity(a));
	return order != 0 ? order : sign((int64_t)a->order - b->order);
}

/* The key of an entry: realm, domain, prefix. */
static int
compare_keys(const struct bp_config_route *routes, const struct bp_route_source *a, const struct bp_route_source *b)
{
	const struct bp_config_route *x = &routes[a->route], *y = &routes[b->route];
	int order = sign((int64_t)x->from - y->from);

	if (order == 0)
		order = sign((int64_t)a->prefix_size - b->prefix_size);
	if (order == 0 && a->prefix_size > 0)
		order = memcmp(a->prefix, b->prefix, a->prefix_size);
	return order != 0 || a->route == b->route ? order : strcmp(x->domain, y->domain);
}

static int
by_key(const void *a, const void *b, void *context)
{
	const struct bp_config_route *routes = context;
	const struct bp_route_source *x = a, *y = b;
	int order = compare_keys(routes, x, y);

	if (order == 0)
		order = sign((int64_t)specificity(&routes[y->route]) - specificity(&routes[x->route]));
	if (order == 0)
		order = sign((int64_t)routes[x->route].order - routes[y->route].order);
	return order != 0 ? order : sign((int64_t)x->line - y->line);
}

/* Whether @first, whose key and specificity are the same, takes all that @then would. */
static bool
covers(const struct bp_config_route *first, const struct bp_config_route *then)
{
	return specificity(first) == specificity(then) && strcmp(first->from_domain, then->from_domain) == 0 &&
		strcmp(first->to_domain, then->to_domain) == 0 &&
		(first->methods == 0 || (then->methods & ~first->methods) == 0);
}

static void
report_unreached(struct bp_builder *b, const struct bp_route_source *source, const struct bp_route_source *by)
{
	const struct bp_file_route *in = b->file->routes.items;
	uint32_t index = b->config->routes[source->route].order, other = b->config->routes[by->route].order;

	if (source->line != 0)
		bp_document_error(b->document, bp_builder_at(b, in[index].node, "prefixes_file"),
			bp_builder_path(b, "routes[%u].prefixes_file", index),
			"found \"%.*s\" on line %u of it, which is never reached, expected each prefix once (%s %u %s)",
			source->prefix_size, source->prefix, source->line, by->line != 0 ? "it is on line" : "the route on line",
			by->line != 0 ? by->line : bp_node_line(in[other].node), by->line != 0 ? "too" : "has it");
	else
		bp_document_error(b->document, in[index].node, bp_builder_path(b, "routes[%u]", index),
			"found a route that is never reached, expected one that differs from that on line %u, which takes"
			" all that it would",
			bp_node_line(in[other].node));
}

static void
check_group(struct bp_builder *b, const struct group *group)
{
	const struct bp_config_route *routes = b->config->routes;
	const struct bp_file_route *in = b->file->routes.items;

	if (group->count > BP_ROUTE_CANDIDATES_MAX) {
		uint32_t index = routes[group->first[BP_ROUTE_CANDIDATES_MAX].route].order;

		bp_document_error(b->document, in[index].node, bp_builder_path(b, "routes[%u]", index),
			"found %u routes from the same realm with the same user_prefix and domain, expected at most %u",
			group->count, BP_ROUTE_CANDIDATES_MAX);
		return;
	}
	for (uint32_t i = 1; i < group->count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (!covers(&routes[group->first[k].route], &routes[group->first[i].route]))
				continue;
			report_unreached(b, &group->first[i], &group->first[k]);
			break;
		}
	}
}

/* The sources from @at on that share a key. */
static struct group
next_group(const struct bp_config_route *routes, const struct bp_route_source *sources, uint32_t count, uint32_t at)
{
	uint32_t end = at + 1;

	while (end < count && compare_keys(routes, &sources[at], &sources[end]) == 0)
		end++;
	return (struct group){&sources[at], end - at};
}

static uint64_t
words_of(const struct group *group)
{
	return 1 + group->count + (group->first->prefix_size + 7u) / 8;
}

static uint64_t
hash_of(const struct bp_config_route *route, const struct bp_route_source *source)
{
	uint64_t domain = BP_ROUTE_NO_DOMAIN, hash;

	if (route->domain_size > 0) {
		domain = bp_route_hash_domain();
		for (unsigned i = 0; i < route->domain_size; i++)
			domain = bp_route_hash_step(domain, (uint8_t)route->domain[i]);
		domain |= 1;
	}
	hash = bp_route_hash_begin(route->from, domain);
	for (unsigned i = 0; i < source->prefix_size; i++)
		hash = bp_route_hash_step(hash, (uint8_t)source->prefix[i]);
	return bp_route_hash_end(hash);
}

static void
insert(struct bp_route_index *index, uint64_t hash, uint32_t place)
{
	for (uint64_t at = hash;; at++) {
		struct bp_route_bucket *bucket = &index->buckets[at & index->bucket_mask];

		for (unsigned i = 0; i < BP_ROUTE_BUCKET_SLOTS; i++) {
			if (bucket->entries[i] != 0)
				continue;
			bucket->tags[i] = bp_route_tag(hash);
			bucket->entries[i] = place + 1;
			return;
		}
	}
}

static void
add_group(struct bp_route_index *index, const struct bp_config_route *routes, const struct group *group)
{
	struct bp_route_entry *entry = (struct bp_route_entry *)(index->entries + index->entry_words);
	const struct bp_config_route *route = &routes[group->first->route];
	uint64_t bit = UINT64_C(1) << group->first->prefix_size;

	*entry = (struct bp_route_entry){
		.from = route->from, .count = (uint16_t)group->count, .prefix_size = group->first->prefix_size};
	for (uint32_t i = 0; i < group->count; i++)
		entry->candidates[i] = (struct bp_route_candidate){group->first[i].route, group->first[i].trunk, 0};
	if (group->first->prefix_size > 0)
		memcpy(entry->candidates + group->count, group->first->prefix, group->first->prefix_size);
	if (route->domain_size > 0)
		index->realms[route->from].domain |= bit;
	else
		index->realms[route->from].any |= bit;
	insert(index, hash_of(route, group->first), (uint32_t)index->entry_words);
	index->entry_words += words_of(group);
	index->prefixes++;
}

/* Room for @entries entries of @words words in all; half of the slots stay free. */
static struct bp_route_index *
make_index(struct bp_builder *b, uint32_t entries, uint64_t words)
{
	struct bp_route_index *index = bp_builder_alloc(b, 1, sizeof(*index));
	uint64_t buckets = 1;

	if (index == NULL)
		return NULL;
	while (buckets * BP_ROUTE_BUCKET_SLOTS < (uint64_t)entries * 2)
		buckets *= 2;
	index->bucket_mask = buckets - 1;
	index->buckets = aligned_alloc(sizeof(*index->buckets), buckets * sizeof(*index->buckets));
	index->entries = bp_builder_alloc(b, words, sizeof(uint64_t));
	index->realms = bp_builder_alloc(b, b->file->realms.count, sizeof(*index->realms));
	if (index->buckets == NULL || index->entries == NULL || index->realms == NULL) {
		bp_report_error(b->document->report, 0, 0, "", "out of memory");
		bp_route_index_free(index);
		return NULL;
	}
	memset(index->buckets, 0, buckets * sizeof(*index->buckets));
	return index;
}

void
bp_build_route_index(struct bp_builder *b, struct bp_route_source *sources, uint32_t count, bool always)
{
	const struct bp_config_route *routes = b->config->routes;
	unsigned errors = b->document->report->errors;
	uint32_t entries = 0;
	uint64_t words = 0;
	struct group group;

	if (count > 0)
		qsort_r(sources, count, sizeof(*sources), by_key, b->config->routes);
	for (uint32_t at = 0; at < count; at += group.count, entries++) {
		group = next_group(routes, sources, count, at);
		check_group(b, &group);
		words += words_of(&group);
	}
	if (b->document->report->errors != errors || (count <= ROUTES_SEARCHED && !always))
		return;
	b->config->route_index = make_index(b, entries, words);
	for (uint32_t at = 0; b->config->route_index != NULL && at < count; at += group.count) {
		group = next_group(routes, sources, count, at);
		add_group(b->config->route_index, routes, &group);
	}
}

void
bp_route_index_free(struct bp_route_index *index)
{
	if (index == NULL)
		return;
	free(index->buckets);
	free(index->entries);
	free(index->realms);
	free(index);
}
