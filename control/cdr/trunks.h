/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which trunk a call came from: the one that has its sender among its targets, in the same realm.
 */
#ifndef BYEPASS_CDR_TRUNKS_H
#define BYEPASS_CDR_TRUNKS_H

#include "byepass/cdr.h"
#include "byepass/config.h"

struct bp_cdr_trunks;

/* NULL: no memory. @config outlives it. */
struct bp_cdr_trunks *bp_cdr_trunks_create(const struct bp_config *config);
void bp_cdr_trunks_free(struct bp_cdr_trunks *trunks);

/* Its name, "": none. */
const char *bp_cdr_trunk(const struct bp_cdr_trunks *trunks, const struct bp_cdr *cdr);

#endif
