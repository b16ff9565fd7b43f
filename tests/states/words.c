/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fields of the state words, and a word in words.
 */
#include "words.h"

#include "dialog/dialog.h"
#include "transaction/machine.h"
#include "transaction/word.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBER(name, text, writers) {#name, BP_WORD_MASK(name), FIELD_NUMBER, text, writers}
#define FLAG(name, text, writers) {#name, BP_WORD_##name, FIELD_FLAG, text, writers}
#define STATE(text, writers) {"STATE", BP_WORD_MASK(STATE), FIELD_STATE, text, writers}
#define CANCEL(text, writers) {"CANCEL", BP_WORD_MASK(CANCEL), FIELD_CANCEL, text, writers}
#define GENERATION(text, writers) \
	{"GENERATION", UINT64_MAX << BP_WORD_GENERATION_SHIFT, FIELD_NUMBER, text, writers}

/* clang-format off */
static const struct field server_fields[] = {
	GENERATION("the life of the slot; whoever refers to another one fails", "`bp_record_end`"),
	FLAG(FREE, "the slot waits for its next life", "`bp_record_end`"),
	NUMBER(STATUS, "of the last response that a machine's step sent", "`bp_server_event`, `bp_server_branch_done`"),
	NUMBER(PENDING, "branches without a final response",
		"`bp_forward`, `bp_server_branch_add`, `bp_server_branch_done`"),
	CANCEL("the NIST of a CANCEL that came: 0 none, else its state plus one",
		"`bp_server_cancel`, `bp_server_cancel_event`"),
	FLAG(STOPPED, "no new branches, pending ones are to be cancelled: a 2xx or 6xx came", "`bp_server_stop`"),
	FLAG(2XX_SEEN, "a 2xx went upstream", "`bp_server_event`"),
	FLAG(CANCEL_ASKED, "the caller wants the request cancelled", "`bp_server_cancel`"),
	STATE("IST or NIST",
		"`bp_forward`, `bp_server_event`, `bp_server_branch_done`, `bp_record_end`"),
};

static const struct field branch_fields[] = {
	GENERATION("that of the record", "`bp_forward`, `bp_branch_next`, `bp_record_end`"),
	NUMBER(STATUS, "of its final response, or what stands for it", "`bp_branch_event`"),
	CANCEL("the NICT of the branch's own CANCEL: 0 none, else its state plus one",
		"`bp_branch_cancel`, `bp_branch_cancel_event`"),
	FLAG(ABANDONED, "silent for too long: no longer pending, cancelled if it wakes up", "`bp_branch_abandon`"),
	FLAG(1XX_SEEN, "a provisional response came", "`bp_branch_event`"),
	STATE("ICT or NICT", "`bp_forward`, `bp_branch_next`, `bp_branch_event`, `bp_record_end`"),
};

#define DIALOG_HELD {"HELD", BP_DIALOG_HELD, FIELD_FLAG, "the INVITE's record still refers to the slot", ""}
static const struct field dialog_fields[] = {
	GENERATION("the life of the slot", ""),
	DIALOG_HELD,
	STATE("of the dialog", ""),
};
/* clang-format on */

#define X(name) #name,
static const char *const dialog_states[] = {BP_DIALOG_STATES(X)};
#undef X
static const struct bp_machine dialog_states_only = {
	.name = "DIALOG", .state_count = COUNT(dialog_states), .states = dialog_states};

const struct word_kind server_word = {
	"server", server_fields, COUNT(server_fields), &bp_ist_machine, &bp_nist_machine, &bp_nist_machine};
const struct word_kind branch_word = {
	"branch", branch_fields, COUNT(branch_fields), &bp_ict_machine, &bp_nict_machine, &bp_nict_machine};
const struct word_kind dialog_word = {
	"dialog", dialog_fields, COUNT(dialog_fields), &dialog_states_only, &dialog_states_only, NULL};

static uint64_t
value_of(const struct field *field, uint64_t word)
{
	return (word & field->mask) >> field_shift(field);
}

static uint64_t
stray_bits(const struct word_kind *kind, uint64_t word)
{
	for (unsigned i = 0; i < kind->field_count; i++)
		word &= ~kind->fields[i].mask;
	return word;
}

static const char *
state_name(const struct bp_machine *machine, uint64_t state)
{
	return state < machine->state_count ? machine->states[state] : NULL;
}

static bool
state_exists(const struct word_kind *kind, uint64_t state, enum method_kind method)
{
	return (method != METHOD_OTHER && state_name(kind->invite, state) != NULL) ||
		(method != METHOD_INVITE && state_name(kind->other, state) != NULL);
}

bool
word_is_plausible(const struct word_kind *kind, uint64_t word, enum method_kind method)
{
	if (stray_bits(kind, word) != 0)
		return false;
	for (unsigned i = 0; i < kind->field_count; i++) {
		const struct field *field = &kind->fields[i];
		uint64_t value = value_of(field, word);

		if (field->kind == FIELD_STATE && !state_exists(kind, value, method))
			return false;
		if (field->kind == FIELD_CANCEL && value > kind->cancel->state_count)
			return false;
	}
	return true;
}

static void
print_state(FILE *out, const struct word_kind *kind, uint64_t state, enum method_kind method)
{
	const char *invite = method == METHOD_OTHER ? NULL : state_name(kind->invite, state);
	const char *other = method == METHOD_INVITE ? NULL : state_name(kind->other, state);

	if (kind->other == kind->invite && invite != NULL) /* the same, whatever the method */
		other = NULL;
	if (invite == NULL && other == NULL)
		fprintf(out, "%" PRIu64 " (there is none)", state);
	if (invite != NULL)
		fprintf(out, "%s_%s", kind->invite->name, invite);
	if (other != NULL)
		fprintf(out, "%s%s_%s", invite ? " or " : "", kind->other->name, other);
}

static void
print_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc(tolower((unsigned char)*name), out);
}

static void
print_field(
	FILE *out, const struct word_kind *kind, const struct field *field, uint64_t value, enum method_kind method)
{
	print_name(out, field->name);
	if (field->kind == FIELD_FLAG)
		return;
	fputc(' ', out);
	if (field->kind == FIELD_NUMBER)
		fprintf(out, "%" PRIu64, value);
	else if (field->kind == FIELD_STATE)
		print_state(out, kind, value, method);
	else if (state_name(kind->cancel, value - 1) != NULL)
		fprintf(out, "%s_%s", kind->cancel->name, state_name(kind->cancel, value - 1));
	else
		fprintf(out, "%" PRIu64 " (there is none)", value);
}

void
word_print(FILE *out, const struct word_kind *kind, uint64_t word, enum method_kind method)
{
	uint64_t stray = stray_bits(kind, word);
	const char *comma = "";

	fprintf(out, "%s word: ", kind->name);
	for (unsigned i = 0; i < kind->field_count; i++) {
		const struct field *field = &kind->fields[i];
		uint64_t value = value_of(field, word);

		/* What is not set goes without saying, but for the generation and the state. */
		if (value == 0 && field->kind != FIELD_STATE && strcmp(field->name, "GENERATION") != 0)
			continue;
		fputs(comma, out);
		print_field(out, kind, field, value, method);
		comma = ", ";
	}
	if (stray != 0)
		fprintf(out, ", stray bits 0x%" PRIx64, stray);
}
