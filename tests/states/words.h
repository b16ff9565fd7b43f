/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fields of the state words, with their names, for drawings and for people who debug. Bits, states and
 * their names come from the headers of the data path; only what a field means and which functions write it
 * is said here.
 */
#ifndef TESTS_STATES_WORDS_H
#define TESTS_STATES_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum field_kind {
	FIELD_NUMBER,
	FIELD_FLAG,
	FIELD_STATE,
	FIELD_CANCEL, /* a state plus one; 0: no CANCEL */
};

struct field {
	const char *name; /* of its macros: BP_WORD_name */
	uint64_t mask;
	enum field_kind kind;
	const char *text;
	const char *writers; /* functions, in backticks */
};

/* What carries the word decides how its states are called. */
enum method_kind { METHOD_UNKNOWN, METHOD_INVITE, METHOD_OTHER };

struct word_kind {
	const char *name;
	const struct field *fields; /* the highest first */
	unsigned field_count;
	const struct bp_machine *invite, *other, *cancel;
};
extern const struct word_kind server_word, branch_word, dialog_word;

static inline unsigned
field_shift(const struct field *field)
{
	return (unsigned)__builtin_ctzll(field->mask);
}

static inline unsigned
field_bits(const struct field *field)
{
	return (unsigned)__builtin_popcountll(field->mask);
}

/* Whether @word can be one of @kind: no bit beside its fields, and states that exist. */
bool word_is_plausible(const struct word_kind *kind, uint64_t word, enum method_kind method);

/* "server word: generation 5, pending 1, cancel_asked, state IST_PROCEEDING", without a line end. */
void word_print(FILE *out, const struct word_kind *kind, uint64_t word, enum method_kind method);

#endif
