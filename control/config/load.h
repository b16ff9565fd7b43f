/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The door to control/config: a file in, a whole and valid snapshot out, or every
 * reason why not. Control threads only; no state outside what is passed.
 */
#ifndef BYEPASS_CONFIG_LOAD_H
#define BYEPASS_CONFIG_LOAD_H

#include "byepass/config.h"
#include "config/report.h"

/* Largest file that is read, in bytes. */
#define BP_CONFIG_FILE_MAX (256u << 20)

/* Seconds of relay records that one call a second occupies: 32 for its INVITE, 32 for its BYE (RFC 3261 table
 * 4). */

/* Loads @path; the secret is read or made.
 * Returns 0 and *@out, to be freed with bp_config_free(); or -EINVAL (the file is refused), -ENOENT, -EACCES
 * ... (it cannot be read), -ENOMEM; then @report has at least one error. Notices may be there in both cases.
 */
int bp_config_load(struct bp_config **out, const char *path, struct bp_report *report);

/* The same of @size bytes at @text; @path is what errors name, and what a relative secrets file is relative
 * to. */
int bp_config_load_text(
	struct bp_config **out, const char *path, const char *text, size_t size, struct bp_report *report);

/* NULL is legal. */
void bp_config_free(const struct bp_config *config);

/* Writes what the snapshot comes to, for people: counts, and the calls a second that its capacity carries.
 * @transactions, @dialogs: the capacity, "auto" resolved by the data path. */
void bp_config_summary(const struct bp_config *config, uint32_t transactions, uint32_t dialogs, FILE *stream);

/* Writes the schema as the tables of docs/configuration.md. */
void bp_config_describe(FILE *stream);

/* Internal: a part of a load that has a file of its own. */

/* Reads the keys of @path into the snapshot. NULL: good. Otherwise what was found, as in "found %s, expected
 * ..." */
const char *bp_config_secrets(struct bp_config *config, const char *path, char *why, size_t size);

/* The path of @name, which is relative to the configuration file at @config. */
void bp_config_beside(const char *config, const char *name, char *path, size_t size);

#endif
