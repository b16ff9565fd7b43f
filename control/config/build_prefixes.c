/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The file of a route that stands for many: a prefix and a trunk in each line, with a comma between. Empty lines and what
 * begins with # are skipped, and so is a first line "prefix,trunk".
 */
#include "config/build.h"
#include "config/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct reader {
	struct bp_builder *b;
	struct bp_route_sources *sources;
	const yaml_node_t *node;
	uint32_t route, line;
	char trunk[BP_CONFIG_NAME_SIZE]; /* the last that was looked up, and its index */
	uint16_t trunk_index;
};

bool
bp_route_sources_add(struct bp_builder *b, struct bp_route_sources *sources, struct bp_route_source source)
{
	if (sources->count == sources->room) {
		uint32_t room = sources->room > 0 ? sources->room * 2 : 64;
		struct bp_route_source *list = realloc(sources->list, room * sizeof(*list));

		if (list == NULL) {
			bp_report_error(b->document->report, 0, 0, "", "out of memory");
			return false;
		}
		sources->list = list;
		sources->room = room;
	}
	sources->list[sources->count++] = source;
	return true;
}

/* The whole file, with a NUL behind it; NULL: *why. */
static char *
read_whole(const char *path, size_t *size, const char **why)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	struct stat status;

	if (file == NULL || fstat(fileno(file), &status) != 0) {
		*why = strerror(errno);
	} else if (!S_ISREG(status.st_mode)) {
		*why = "not a file";
	} else if (status.st_size >= BP_CONFIG_FILE_MAX) {
		*why = "too large";
	} else if ((text = malloc((size_t)status.st_size + 1)) == NULL) {
		*why = "out of memory";
	} else {
		*size = fread(text, 1, (size_t)status.st_size, file);
		text[*size] = '\0';
	}
	if (file != NULL)
		fclose(file);
	return text;
}

static void
refuse(struct reader *r, const char *text, size_t size, const char *expected)
{
	char found[64];

	bp_document_error(r->b->document, r->node, r->b->path, "found \"%s\" on line %u of it, expected %s",
		bp_report_clean(found, sizeof(found), text, size), r->line, expected);
}

static bool
is_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	return true;
}

/* Lines of one trunk often follow each other. */
static bool
find_trunk(struct reader *r, const char *text, size_t size)
{
	if (size == 0 || size >= sizeof(r->trunk) || memchr(text, '\0', size) != NULL) {
		refuse(r, text, size, "the name of a trunk behind the comma");
		return false;
	}
	if (strlen(r->trunk) == size && memcmp(r->trunk, text, size) == 0)
		return true;
	memcpy(r->trunk, text, size);
	r->trunk[size] = '\0';
	if (bp_names_find(r->b, &r->b->trunks, r->trunk, r->node, "trunk", &r->trunk_index))
		return true;
	r->trunk[0] = '\0';
	return false;
}

static bool
read_line(struct reader *r, const char *text, size_t size)
{
	const char *comma = memchr(text, ',', size);
	size_t prefix = comma != NULL ? (size_t)(comma - text) : size;

	if (size == 0 || text[0] == '#' || (r->line == 1 && size == 12 && memcmp(text, "prefix,trunk", 12) == 0))
		return true;
	if (comma == NULL || prefix == 0 || prefix > 63 || !is_printable(text, prefix)) {
		refuse(r, text, size, "PREFIX,TRUNK, the prefix of 1 to 63 characters");
		return true;
	}
	if (!find_trunk(r, comma + 1, size - prefix - 1))
		return true;
	return bp_route_sources_add(r->b, r->sources,
		(struct bp_route_source){text, r->route, r->line, r->trunk_index, (uint8_t)prefix});
}

static bool
keep_text(struct bp_route_sources *sources, char *text)
{
	char **texts = realloc(sources->texts, (sources->text_count + 1) * sizeof(*texts));

	if (texts == NULL)
		return false;
	sources->texts = texts;
	sources->texts[sources->text_count++] = text;
	return true;
}

void
bp_build_prefixes(struct bp_builder *b, struct bp_route_sources *sources, uint32_t route, uint32_t in_file)
{
	const struct bp_file_route *in = (const struct bp_file_route *)b->file->routes.items + in_file;
	struct reader r = {.b = b, .sources = sources, .route = route, .node = bp_builder_at(b, in->node, "prefixes_file")};
	char path[1024];
	const char *why = NULL;
	char *text, *line;
	size_t size = 0;

	bp_builder_path(b, "routes[%u].prefixes_file", in_file);
	bp_config_beside(b->document->report->file, in->prefixes_file, path, sizeof(path));
	text = read_whole(path, &size, &why);
	if (text == NULL || !keep_text(sources, text)) {
		free(text);
		bp_document_error(b->document, r.node, b->path, "found a file that cannot be read (%s), expected lines of"
			" PREFIX,TRUNK", why != NULL ? why : "out of memory");
		return;
	}
	for (line = text; line < text + size;) {
		char *end = memchr(line, '\n', (size_t)(text + size - line)), *next = end != NULL ? end + 1 : text + size;

		end = end != NULL ? end : text + size;
		if (end > line && end[-1] == '\r')
			end--;
		r.line++;
		if (!read_line(&r, line, (size_t)(end - line)))
			return;
		line = next;
	}
}
