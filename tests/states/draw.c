/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prints the generated part of docs/state-machines.md: the four machines out of their tables, and the state
 * words out of word.h. docs_test.py holds the document to it.
 */
#include "words.h"

#include "byepass/drops.h"
#include "transaction/machine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct drawn {
	const struct bp_machine *machine;
	const char *title, *figure;
	/* What is counted when the table says DROP, by event. */
	const char *(*drop)(unsigned event);
};

static const char *
drop_name(enum bp_drop drop)
{
	static const char *const names[] = {
#define X(name, scope, severity, text) #name,
		BP_DROPS(X)
#undef X
	};
	return names[drop];
}

static const char *
drop_of_response(unsigned event)
{
	return drop_name(BP_DROP_response_unexpected);
}

/* A response that the transaction user hands over came from downstream, and is counted as what it is. */
static const char *
drop_of_ist(unsigned event)
{
	bool request = event == BP_IST_ON_INVITE || event == BP_IST_ON_ACK;

	return drop_name(request ? BP_DROP_request_unexpected : BP_DROP_response_unexpected);
}

/* The only 1xx is the edge's own 100 (RFC 4320 4.1), which is then not sent: nothing came in that could be counted. */
static const char *
drop_of_nist(unsigned event)
{
	if (event == BP_NIST_ON_TU_1XX)
		return NULL;
	return drop_name(event == BP_NIST_ON_REQUEST ? BP_DROP_request_unexpected : BP_DROP_response_unexpected);
}

static const struct drawn drawings[] = {
	{&bp_ict_machine, "INVITE client transaction", "RFC 3261 17.1.1, RFC 6026 figure 5", drop_of_response},
	{&bp_ist_machine, "INVITE server transaction", "RFC 3261 17.2.1, RFC 6026 figure 7", drop_of_ist},
	{&bp_nict_machine, "Non-INVITE client transaction", "RFC 3261 17.1.2 figure 6, RFC 4320", drop_of_response},
	{&bp_nist_machine, "Non-INVITE server transaction", "RFC 3261 17.2.2 figure 8, RFC 4320", drop_of_nist},
};

static const char *
action_name(unsigned action)
{
	static char name[BP_ACTION_COUNT][32];
	static const char *const macros[] = {
#define X(name, text) #name,
		BP_ACTIONS(X)
#undef X
	};
	char *out = name[action];

	for (unsigned i = 0; macros[action][i]; i++)
		out[i] = macros[action][i] == '_' ? ' ' : (char)tolower((unsigned char)macros[action][i]);
	return out;
}

static const struct bp_step *
step_of(const struct bp_machine *machine, unsigned state, unsigned event)
{
	return &machine->steps[state * machine->event_count + event];
}

static bool
does_nothing(const struct bp_step *step)
{
	return step->action == BP_DO_IGNORE || step->action == BP_DO_DROP;
}

/* One arrow for all events that lead from @from to @to. */
static void
draw_arrow(const struct bp_machine *machine, unsigned from, unsigned to)
{
	bool begun = false;

	for (unsigned event = 0; event < machine->event_count; event++) {
		const struct bp_step *step = step_of(machine, from, event);

		if (step->next != to || (does_nothing(step) && from == to))
			continue;
		if (!begun)
			printf("    %s --> %s : ", machine->states[from], machine->states[to]);
		printf("%s%s / %s", begun ? "<br/>" : "", machine->events[event], action_name(step->action));
		begun = true;
	}
	if (begun)
		putchar('\n');
}

static void
draw_diagram(const struct bp_machine *machine)
{
	unsigned last = machine->state_count - 1u;

	printf("```mermaid\nstateDiagram-v2\n    [*] --> %s\n", machine->states[0]);
	for (unsigned from = 0; from < machine->state_count; from++)
		for (unsigned to = 0; to < machine->state_count; to++)
			draw_arrow(machine, from, to);
	printf("    %s --> [*]\n```\n\n", machine->states[last]);
}

static void
draw_cell(const struct drawn *drawn, unsigned state, unsigned event)
{
	const struct bp_machine *machine = drawn->machine;
	const struct bp_step *step = step_of(machine, state, event);
	const char *counted = drawn->drop(event);

	if (step->action == BP_DO_IGNORE && step->next == state)
		printf(" - |");
	else if (step->action == BP_DO_DROP && step->next == state)
		printf(counted ? " ✗ `%s` |" : " ✗ |", counted);
	else if (step->next == state)
		printf(" %s |", action_name(step->action));
	else
		printf(" %s → **%s** |", action_name(step->action), machine->states[step->next]);
}

static void
draw_table(const struct drawn *drawn)
{
	const struct bp_machine *machine = drawn->machine;

	printf("| event |");
	for (unsigned state = 0; state < machine->state_count; state++)
		printf(" %s |", machine->states[state]);
	printf("\n|");
	for (unsigned state = 0; state <= machine->state_count; state++)
		printf(" --- |");
	putchar('\n');
	for (unsigned event = 0; event < machine->event_count; event++) {
		printf("| `%s` |", machine->events[event]);
		for (unsigned state = 0; state < machine->state_count; state++)
			draw_cell(drawn, state, event);
		putchar('\n');
	}
	putchar('\n');
}

static void
draw_actions(void)
{
	printf("## What the actions mean\n\nWho wins the swap of the word does it.\n\n| action | |\n| --- | --- |\n");
	for (unsigned action = 0; action < BP_ACTION_COUNT; action++)
		if (action != BP_DO_IGNORE && action != BP_DO_DROP)
			printf("| %s | %s |\n", action_name(action), bp_action_text((enum bp_action)action));
	putchar('\n');
}

/* The cells of a drawing, the highest first; a gap between two fields is a cell without a name. */
struct cell {
	char bits[8], name[24];
	int width;
};

static struct cell
cell_of(int high, int low, const char *name)
{
	struct cell cell = {.width = 0};
	int bits;

	if (high == low)
		bits = snprintf(cell.bits, sizeof(cell.bits), "%d", low);
	else
		bits = snprintf(cell.bits, sizeof(cell.bits), "%d..%d", high, low);
	for (unsigned i = 0; name[i] && i + 1 < sizeof(cell.name); i++)
		cell.name[i] = (char)tolower((unsigned char)name[i]);
	cell.width = bits > (int)strlen(cell.name) ? bits : (int)strlen(cell.name);
	return cell;
}

static unsigned
cells_of(const struct word_kind *kind, struct cell *cells)
{
	unsigned count = 0;
	int high = 63;

	for (unsigned i = 0; i < kind->field_count; i++) {
		int low = (int)field_shift(&kind->fields[i]), top = low + (int)field_bits(&kind->fields[i]) - 1;

		if (top < high)
			cells[count++] = cell_of(high, top + 1, "-");
		cells[count++] = cell_of(top, low, kind->fields[i].name);
		high = low - 1;
	}
	if (high >= 0)
		cells[count++] = cell_of(high, 0, "-");
	return count;
}

static void
draw_word(const struct word_kind *kind)
{
	struct cell cells[64];
	unsigned count = cells_of(kind, cells);

	printf("### The %s word\n\n```\n", kind->name);
	for (unsigned i = 0; i < count; i++)
		printf("%s%*s", i ? "  " : "", cells[i].width, cells[i].bits);
	putchar('\n');
	for (unsigned i = 0; i < count; i++)
		printf("%s%*s", i ? "  " : "", cells[i].width, cells[i].name);
	printf("\n```\n\n| bits | field | what it says | written by |\n| --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < kind->field_count; i++) {
		const struct field *field = &kind->fields[i];
		unsigned low = field_shift(field);
		struct cell cell = cell_of((int)(low + field_bits(field)) - 1, (int)low, field->name);

		printf("| %s | `%s` | %s | %s |\n", cell.bits, cell.name, field->text, field->writers);
	}
	putchar('\n');
}

int
main(void)
{
	for (unsigned i = 0; i < COUNT(drawings); i++) {
		printf("## %s: %s\n\n%s.\n\n", drawings[i].machine->name, drawings[i].title, drawings[i].figure);
		draw_diagram(drawings[i].machine);
		draw_table(&drawings[i]);
	}
	draw_actions();
	printf("## The words\n\nOne word for the server side of a record, one for each client branch. Every event is a "
	       "compare-and-swap that\nfails when the generation is another one; branch word first, then server "
	       "word.\n\n");
	draw_word(&server_word);
	draw_word(&branch_word);
	return EXIT_SUCCESS;
}
