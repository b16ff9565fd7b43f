/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trunks by the addresses of their targets, sorted; see trunks.h.
 */
#include "cdr/trunks.h"

#include <stdlib.h>

struct place {
	struct bp_ip ip;
	const char *realm, *trunk;
};

struct bp_cdr_trunks {
	size_t count;
	struct place places[];
};

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	return order != 0 ? order : strcmp(x->realm, y->realm);
}

struct bp_cdr_trunks *
bp_cdr_trunks_create(const struct bp_config *config)
{
	struct bp_cdr_trunks *trunks;
	size_t count = 0;

	for (unsigned i = 0; i < config->trunk_count; i++)
		count += config->trunks[i].target_count;
	trunks = calloc(1, sizeof(*trunks) + count * sizeof(trunks->places[0]));
	if (trunks == NULL)
		return NULL;
	for (unsigned i = 0; i < config->trunk_count; i++) {
		const struct bp_config_trunk *trunk = &config->trunks[i];

		for (unsigned k = 0; k < trunk->target_count; k++)
			trunks->places[trunks->count++] = (struct place){.ip = trunk->targets[k].flow.ip,
				.realm = config->realms[trunk->realm].name,
				.trunk = trunk->name};
	}
	qsort(trunks->places, trunks->count, sizeof(trunks->places[0]), by_place);
	return trunks;
}

void
bp_cdr_trunks_free(struct bp_cdr_trunks *trunks)
{
	free(trunks);
}

const char *
bp_cdr_trunk(const struct bp_cdr_trunks *trunks, const struct bp_cdr *cdr)
{
	char realm[BP_CDR_TEXT_MAX + 1];
	struct place key = {.ip = cdr->source.ip, .realm = realm};
	const struct place *found;

	memcpy(realm, bp_cdr_text(cdr, BP_CDR_TEXT_realm_in), cdr->sizes[BP_CDR_TEXT_realm_in]);
	realm[cdr->sizes[BP_CDR_TEXT_realm_in]] = '\0';
	found = cdr->source.port == 0
		? NULL
		: bsearch(&key, trunks->places, trunks->count, sizeof(key), by_place);
	return found ? found->trunk : "";
}
