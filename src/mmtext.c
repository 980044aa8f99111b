// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of trace lines, in both directions. One table says which arguments an
 * operation has; reading and writing walk the same table, so they cannot differ.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "mmtext.h"

#define PAGES_MAX ((1ULL << 52) - 1)	/* bytes fill 64 bits; calls refuse what they must */
#define IDS_MAX (1U << 24)		/* descriptions and shared anonymous objects */

/*
 * A letter for each argument:
 *	p process   c child   f file   h handle   g source handle   d handle or "anon"
 *	a address   l length  n new length   m new address, where the mode has one
 *	O offset    P protection   s sharing   w how   o rw or ro   r mremap mode   v advice
 *	y msync flag
 */
static const struct {
	const char *name;
	const char *arguments;
} shapes[MMOP_KINDS] = {
	[MMOP_FILE] = { "file", "fl" },
	[MMOP_DROP] = { "drop", "f" },
	[MMOP_OPEN] = { "open", "phfo" },
	[MMOP_DUP] = { "dup", "phg" },
	[MMOP_CLOSE] = { "close", "ph" },
	[MMOP_MMAP] = { "mmap", "pdalPswO" },
	[MMOP_MUNMAP] = { "munmap", "pal" },
	[MMOP_MPROTECT] = { "mprotect", "palP" },
	[MMOP_MREMAP] = { "mremap", "palnrm" },
	[MMOP_READ] = { "read", "pa" },
	[MMOP_WRITE] = { "write", "pa" },
	[MMOP_MADVISE] = { "madvise", "pval" },
	[MMOP_TRUNC] = { "trunc", "fl" },
	[MMOP_PUNCH] = { "punch", "fOl" },
	[MMOP_FORK] = { "fork", "pc" },
	[MMOP_EXIT] = { "exit", "p" },
	[MMOP_FREAD] = { "fread", "fO" },
	[MMOP_FWRITE] = { "fwrite", "fO" },
	[MMOP_MLOCK] = { "mlock", "pal" },
	[MMOP_MUNLOCK] = { "munlock", "pal" },
	[MMOP_MSYNC] = { "msync", "pyal" },
	[MMOP_MINCORE] = { "mincore", "pal" },
	[MMOP_REMAP_FILE] = { "remap_file_pages", "palO" },
	[MMOP_MSEAL] = { "mseal", "pal" },
};

static const char *const mremap_modes[MMOP_MREMAP_MODES] = {
	"inplace", "fixed", "dontunmap", "fixedonly", "hint",
};
static const char *const advices[MMOP_ADVICES] = {
	"dontneed", "dontfork", "dofork", "normal", "random", "sequential", "dontdump",
	"dodump", "remove", "free", "cold", "populate_read", "populate_write", "wipeonfork",
	"keeponfork", "hugepage", "nohugepage", "mergeable", "unmergeable",
};
static const char *const syncs[MMOP_SYNCS] = { "sync", "async", "invalidate" };
static const char *const ways[] = {
	"fixed", "noreplace", "fixed+nr", "noreplace+nr", "fixed+pop", "noreplace+pop",
	"fixed+nr+pop", "noreplace+nr+pop", "fixed+lock", "noreplace+lock", "fixed+nr+lock",
	"noreplace+nr+lock",
};
/* The letters of a mapping's flags, MMOP_VMA_ACCOUNT first. */
static const char vma_letters[] = "adnlsruwmhpk";
static const char *const modes[] = { "rw", "ro" };
static const char *const signals[] = { "SIGSEGV.MAPERR", "SIGSEGV.ACCERR", "SIGBUS.ADRERR" };

bool mmtext_fail(struct mmtext_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

bool mmtext_split(char *line, size_t length, struct mmtext_words *words, struct mmtext_why *why)
{
	words->count = 0;
	if (!length)
		return mmtext_fail(why, "empty line");
	for (char *at = line; ; at++) {
		char *start = at;

		while (at < line + length && *at != ' ') {
			if (*at < ' ' || *at > '~')
				return mmtext_fail(why, "byte 0x%02x is not printable ASCII",
						   (unsigned char)*at);
			at++;
		}
		if (at == start)
			return mmtext_fail(why, "fields are separated by single spaces");
		if (words->count == MMTEXT_WORDS_MAX)
			return mmtext_fail(why, "more than %d fields", MMTEXT_WORDS_MAX);
		words->word[words->count++] = start;
		if (at == line + length)
			break;
		*at = '\0';
	}
	line[length] = '\0';
	return true;
}

/* At most 40 characters of a word, for messages. */
#define SHOWN "\"%.40s\""

bool mmtext_number(const char *word, uint64_t max, uint64_t *value, struct mmtext_why *why)
{
	size_t length = strspn(word, "0123456789");
	char *end;

	if (!length || word[length] || (word[0] == '0' && length > 1))
		return mmtext_fail(why, SHOWN " is not a number", word);
	errno = 0;
	*value = g_ascii_strtoull(word, &end, 10);
	if (errno || *value > max)
		return mmtext_fail(why, "%.40s is more than %llu", word, (unsigned long long)max);
	return true;
}

bool mmtext_id(const char *word, char letter, unsigned int bound, unsigned int *id,
	       struct mmtext_why *why)
{
	uint64_t value;

	if (word[0] != letter || !word[1])
		return mmtext_fail(why, SHOWN " is not %c and a number", word, letter);
	if (!mmtext_number(word + 1, bound - 1, &value, why))
		return false;
	*id = value;
	return true;
}

static bool parse_small_id(const char *word, char letter, unsigned int bound, uint8_t *id,
			   struct mmtext_why *why)
{
	unsigned int value = 0;

	if (!mmtext_id(word, letter, bound, &value, why))
		return false;
	*id = value;
	return true;
}

static bool parse_handle(const char *word, bool may_be_anon, int8_t *handle,
			 struct mmtext_why *why)
{
	uint8_t id = 0;

	if (may_be_anon && !strcmp(word, "anon")) {
		*handle = MMOP_ANON;
		return true;
	}
	if (!parse_small_id(word, 'h', MMOP_HANDLES_MAX, &id, why))
		return false;
	*handle = id;
	return true;
}

/* PAGES or PAGES+BYTES, as bytes. */
static bool parse_size(char *word, uint64_t *bytes, struct mmtext_why *why)
{
	char *plus = strchr(word, '+');
	uint64_t pages, rest = 0;

	if (plus) {
		*plus = '\0';
		if (!mmtext_number(plus + 1, MMOP_PAGE - 1, &rest, why))
			return false;
		if (!rest)
			return mmtext_fail(why, "%.40s+0 is written %.40s", word, word);
	}
	if (!mmtext_number(word, PAGES_MAX, &pages, why))
		return false;
	*bytes = pages * MMOP_PAGE + rest;
	return true;
}

static bool parse_letters(const char *word, const char *letters, uint8_t *bits,
			  struct mmtext_why *why)
{
	size_t n = strlen(letters);

	*bits = 0;
	for (size_t i = 0; i < n; i++) {
		if (word[i] == letters[i])
			*bits |= 1 << i;
		else if (word[i] != '-')
			return mmtext_fail(why, SHOWN " is not %s with - for what is missing",
					   word, letters);
	}
	return true;
}

static bool parse_prot(const char *word, uint8_t *prot, struct mmtext_why *why)
{
	if (strlen(word) != 3)
		return mmtext_fail(why, SHOWN " is not a protection such as rw-", word);
	return parse_letters(word, "rwx", prot, why);
}

static bool parse_choice(const char *word, const char *const *choices, size_t n, uint8_t *choice,
			 const char *what, struct mmtext_why *why)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(word, choices[i])) {
			*choice = i;
			return true;
		}
	}
	return mmtext_fail(why, SHOWN " is not %s", word, what);
}

static bool parse_how(const char *word, struct mmop *op, struct mmtext_why *why)
{
	uint8_t way = 0;

	if (!parse_choice(word, ways, G_N_ELEMENTS(ways), &way,
			  "fixed or noreplace, perhaps with +nr", why))
		return false;
	op->noreplace = way & 1;
	op->noreserve = way & 2;
	op->populate = way & 4;
	op->locked = way & 8;
	return true;
}

static bool parse_share(const char *word, char *share, struct mmtext_why *why)
{
	if (!strchr("spx", word[0]) || word[1])
		return mmtext_fail(why, SHOWN " is not s, p or x", word);
	*share = word[0];
	return true;
}

static bool parse_open_mode(const char *word, bool *readonly, struct mmtext_why *why)
{
	uint8_t mode = 0;

	if (!parse_choice(word, modes, G_N_ELEMENTS(modes), &mode, "rw or ro", why))
		return false;
	*readonly = mode;
	return true;
}

static bool parse_argument(char letter, char *word, struct mmop *op, struct mmtext_why *why)
{
	switch (letter) {
	case 'p':
		return parse_small_id(word, 'p', MMOP_PROCS_MAX, &op->proc, why);
	case 'c':
		return parse_small_id(word, 'p', MMOP_PROCS_MAX, &op->child, why);
	case 'f':
		return parse_small_id(word, 'f', MMOP_FILES_MAX, &op->file, why);
	case 'h':
		return parse_handle(word, false, &op->handle, why);
	case 'g':
		return parse_handle(word, false, &op->handle2, why);
	case 'd':
		return parse_handle(word, true, &op->handle, why);
	case 'a':
		return parse_size(word, &op->addr, why);
	case 'l':
		return parse_size(word, &op->length, why);
	case 'n':
		return parse_size(word, &op->new_length, why);
	case 'm':
		return parse_size(word, &op->new_addr, why);
	case 'O':
		return parse_size(word, &op->offset, why);
	case 'P':
		return parse_prot(word, &op->prot, why);
	case 's':
		return parse_share(word, &op->share, why);
	case 'w':
		return parse_how(word, op, why);
	case 'o':
		return parse_open_mode(word, &op->readonly, why);
	case 'r':
		return parse_choice(word, mremap_modes, MMOP_MREMAP_MODES, &op->mode,
				    "inplace, fixed, dontunmap or fixedonly", why);
	case 'v':
		return parse_choice(word, advices, MMOP_ADVICES, &op->mode,
				    "dontneed, dontfork or dofork", why);
	case 'y':
		return parse_choice(word, syncs, MMOP_SYNCS, &op->mode,
				    "sync, async or invalidate", why);
	}
	g_assert_not_reached();
}

/* Words @first up to, not including, @end. */
static bool parse_op(const struct mmtext_words *words, unsigned int first, unsigned int end,
		     struct mmop *op, struct mmtext_why *why)
{
	const char *name = words->word[first];
	unsigned int at = first + 1;

	*op = (struct mmop){ .kind = MMOP_KINDS, .handle = MMOP_ANON };
	for (unsigned int kind = 0; kind < MMOP_KINDS; kind++)
		if (!strcmp(name, shapes[kind].name))
			op->kind = kind;
	if (op->kind == MMOP_KINDS)
		return mmtext_fail(why, SHOWN " is not an operation", name);

	for (const char *letter = shapes[op->kind].arguments; *letter; letter++, at++) {
		if (*letter == 'm' && op->mode == MMOP_INPLACE)
			break;
		if (at == end)
			return mmtext_fail(why, "%s has too few arguments", name);
		if (!parse_argument(*letter, words->word[at], op, why))
			return false;
	}
	if (at != end)
		return mmtext_fail(why, "%s has too many arguments", name);
	return true;
}

static bool parse_errno(const char *word, uint8_t *error, struct mmtext_why *why)
{
	for (int number = 1; number <= 133; number++) {
		const char *name = strerrorname_np(number);

		if (name && !strcmp(name, word)) {
			*error = number;
			return true;
		}
	}
	return mmtext_fail(why, SHOWN " is not the name of an error", word);
}

/* The word after "=", without the value that may follow it. */
static bool parse_outcome(const char *word, struct mmop_result *result, struct mmtext_why *why)
{
	*result = (struct mmop_result){ .outcome = MMOP_OK };
	if (!strcmp(word, "ok"))
		return true;
	if (!strcmp(word, "eof")) {
		result->outcome = MMOP_EOF;
		return true;
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(signals); i++) {
		if (!strcmp(word, signals[i])) {
			result->outcome = MMOP_MAPERR + i;
			return true;
		}
	}
	if (word[0] != '-')
		return mmtext_fail(why, SHOWN " is not a result", word);
	result->outcome = MMOP_ERROR;
	return parse_errno(word + 1, &result->error, why);
}

static bool reads(const struct mmop *op)
{
	return op->kind == MMOP_READ || op->kind == MMOP_FREAD || op->kind == MMOP_MINCORE;
}

/* Which results an operation can have at all. */
static bool result_fits(const struct mmop *op, const struct mmop_result *result)
{
	bool touch = op->kind == MMOP_READ || op->kind == MMOP_WRITE;

	switch (result->outcome) {
	case MMOP_OK:
		return !reads(op);
	case MMOP_VALUE:
		return reads(op);
	case MMOP_EOF:
		return op->kind == MMOP_FREAD;
	case MMOP_ERROR:
		return !touch && op->kind != MMOP_EXIT;
	default:
		return touch;
	}
}

bool mmtext_step(const struct mmtext_words *words, unsigned int first, struct mmop *op,
		 struct mmop_result *result, struct mmtext_why *why)
{
	unsigned int equals = first;

	while (equals < words->count && strcmp(words->word[equals], "="))
		equals++;
	if (equals == words->count)
		return mmtext_fail(why, "no \"=\" and result");
	if (equals == first)
		return mmtext_fail(why, "no operation");
	if (equals + 1 == words->count)
		return mmtext_fail(why, "no result after \"=\"");
	if (!parse_op(words, first, equals, op, why) ||
	    !parse_outcome(words->word[equals + 1], result, why))
		return false;
	if (equals + 3 == words->count && result->outcome == MMOP_OK && reads(op)) {
		result->outcome = MMOP_VALUE;
		return mmtext_number(words->word[equals + 2], UINT64_MAX, &result->value, why);
	}
	if (equals + 2 != words->count)
		return mmtext_fail(why, "too many fields after \"=\"");
	if (!result_fits(op, result))
		return mmtext_fail(why, "%s does not end in %s", shapes[op->kind].name,
				   words->word[equals + 1]);
	return true;
}

static bool parse_object(const char *word, struct mmop_vma *vma, struct mmtext_why *why)
{
	unsigned int id = 0;

	vma->object = word[0];
	if (!strcmp(word, "a"))
		return true;
	if (word[0] != 'f' && word[0] != 'z')
		return mmtext_fail(why, SHOWN " is not fN, a or zN", word);
	if (!mmtext_id(word, word[0], word[0] == 'f' ? MMOP_FILES_MAX : IDS_MAX, &id, why))
		return false;
	vma->id = id;
	return true;
}

static bool parse_desc(const char *word, struct mmop_vma *vma, struct mmtext_why *why)
{
	unsigned int id = 0;

	if (vma->object != 'f') {
		vma->desc = -1;
		return !strcmp(word, "-") ||
		       mmtext_fail(why, "only a file mapping has a description, not " SHOWN, word);
	}
	if (!mmtext_id(word, 'd', IDS_MAX, &id, why))
		return false;
	vma->desc = id;
	return true;
}

static bool parse_perm(const char *word, struct mmop_vma *vma, struct mmtext_why *why)
{
	if (strlen(word) != 4 || !strchr("sp", word[3]))
		return mmtext_fail(why, SHOWN " is not permissions such as rw-s", word);
	if (!parse_letters(word, "rwx", &vma->perm, why))
		return false;
	if (word[3] == 's')
		vma->perm |= MMOP_VMA_SHARED;
	if ((vma->object == 'a' && word[3] == 's') || (vma->object == 'z' && word[3] == 'p'))
		return mmtext_fail(why, "a is private, zN is shared, this is %s", word);
	return true;
}

static bool parse_flags(const char *word, struct mmop_vma *vma, struct mmtext_why *why)
{
	vma->flags = 0;
	if (!strcmp(word, "-"))
		return true;
	for (const char *at = word; *at; at++) {
		const char *letter = strchr(vma_letters, *at);

		if (!letter || vma->flags >> (letter - vma_letters) & 1)
			return mmtext_fail(why, SHOWN " is not - or some of adn, each once",
					   word);
		vma->flags |= 1 << (letter - vma_letters);
	}
	return true;
}

bool mmtext_vma(const struct mmtext_words *words, struct mmop_vma *vma, struct mmtext_why *why)
{
	char *const *word = words->word;
	uint64_t start, end;

	*vma = (struct mmop_vma){ 0 };
	if (words->count != 8)
		return mmtext_fail(why, "a v line has 8 fields, not %u", words->count);
	if (!mmtext_number(word[1], MMOP_WINDOW_MAX, &start, why) ||
	    !mmtext_number(word[2], MMOP_WINDOW_MAX, &end, why) ||
	    !parse_object(word[4], vma, why) || !parse_perm(word[3], vma, why) ||
	    !parse_desc(word[5], vma, why) ||
	    !mmtext_number(word[6], PAGES_MAX, &vma->pgoff, why) ||
	    !parse_flags(word[7], vma, why))
		return false;
	vma->start = start;
	vma->end = end;
	if (start >= end)
		return mmtext_fail(why, "mapping [%s, %s) is empty", word[1], word[2]);
	if (vma->object == 'a' && vma->pgoff)
		return mmtext_fail(why, "the page offset of a is always 0");
	return true;
}

bool mmtext_needs_calls(const struct mmop *op)
{
	return op->kind >= MMOP_FIRST_CALL || op->populate || op->locked ||
	       (op->kind == MMOP_MREMAP && op->mode == MMOP_HINT) ||
	       (op->kind == MMOP_MADVISE && op->mode >= MMOP_PLAIN_ADVICES);
}

/* ---- writing ---- */

static void append_size(GString *text, uint64_t bytes)
{
	g_string_append_printf(text, " %llu", (unsigned long long)(bytes / MMOP_PAGE));
	if (bytes % MMOP_PAGE)
		g_string_append_printf(text, "+%llu", (unsigned long long)(bytes % MMOP_PAGE));
}

static void append_prot(GString *text, unsigned int prot)
{
	g_string_append_c(text, prot & PROT_READ ? 'r' : '-');
	g_string_append_c(text, prot & PROT_WRITE ? 'w' : '-');
	g_string_append_c(text, prot & PROT_EXEC ? 'x' : '-');
}

static void append_handle(GString *text, int handle)
{
	if (handle == MMOP_ANON)
		g_string_append(text, " anon");
	else
		g_string_append_printf(text, " h%d", handle);
}

static void append_word(GString *text, const char *word)
{
	g_string_append_c(text, ' ');
	g_string_append(text, word);
}

static void append_argument(GString *text, char letter, const struct mmop *op)
{
	switch (letter) {
	case 'p':
		g_string_append_printf(text, " p%d", op->proc);
		break;
	case 'c':
		g_string_append_printf(text, " p%d", op->child);
		break;
	case 'f':
		g_string_append_printf(text, " f%d", op->file);
		break;
	case 'h':
	case 'd':
		append_handle(text, op->handle);
		break;
	case 'g':
		append_handle(text, op->handle2);
		break;
	case 'a':
		append_size(text, op->addr);
		break;
	case 'l':
		append_size(text, op->length);
		break;
	case 'n':
		append_size(text, op->new_length);
		break;
	case 'm':
		if (op->mode != MMOP_INPLACE)
			append_size(text, op->new_addr);
		break;
	case 'O':
		append_size(text, op->offset);
		break;
	case 'P':
		g_string_append_c(text, ' ');
		append_prot(text, op->prot);
		break;
	case 's':
		g_string_append_printf(text, " %c", op->share);
		break;
	case 'w':
		append_word(text, ways[op->noreplace + 2 * op->noreserve + 4 * op->populate +
				       8 * op->locked]);
		break;
	case 'o':
		append_word(text, modes[op->readonly]);
		break;
	case 'r':
		append_word(text, mremap_modes[op->mode]);
		break;
	case 'v':
		append_word(text, advices[op->mode]);
		break;
	case 'y':
		append_word(text, syncs[op->mode]);
		break;
	}
}

void mmtext_append_op(GString *text, const struct mmop *op)
{
	g_string_append(text, shapes[op->kind].name);
	for (const char *letter = shapes[op->kind].arguments; *letter; letter++)
		append_argument(text, *letter, op);
}

void mmtext_append_result(GString *text, const struct mmop_result *result)
{
	const char *name = result->outcome == MMOP_ERROR ? strerrorname_np(result->error) : NULL;

	if (result->outcome == MMOP_OK)
		g_string_append(text, "ok");
	else if (result->outcome == MMOP_VALUE)
		g_string_append_printf(text, "ok %llu", (unsigned long long)result->value);
	else if (result->outcome == MMOP_EOF)
		g_string_append(text, "eof");
	else if (result->outcome == MMOP_ERROR)
		g_string_append_printf(text, "-%s", name ? name : "?");
	else
		g_string_append(text, signals[result->outcome - MMOP_MAPERR]);
}

void mmtext_append_vma(GString *text, const struct mmop_vma *vma)
{
	g_string_append_printf(text, "%d %d ", vma->start, vma->end);
	append_prot(text, vma->perm);
	g_string_append_c(text, vma->perm & MMOP_VMA_SHARED ? 's' : 'p');
	if (vma->object == 'a')
		g_string_append(text, " a -");
	else
		g_string_append_printf(text, " %c%d ", vma->object, vma->id);
	if (vma->object == 'f')
		g_string_append_printf(text, "d%d", vma->desc);
	else if (vma->object == 'z')
		g_string_append_c(text, '-');
	g_string_append_printf(text, " %llu ", (unsigned long long)vma->pgoff);
	for (unsigned int i = 0; vma_letters[i]; i++)
		if (vma->flags & 1 << i)
			g_string_append_c(text, vma_letters[i]);
	if (!vma->flags)
		g_string_append_c(text, '-');
}
