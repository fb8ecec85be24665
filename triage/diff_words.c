/* SPDX-License-Identifier: MIT */
/* How do accesses, facts and sets of verdicts read?  "munmap's 2nd up_write
 * mmap_lock before fault's down_read_trylock".  All append to a text. */
#include <stdarg.h>
#include <string.h>

#include "diff.h"

void append(char *text, const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, DIFF_TEXT - n, fmt, ap);
	va_end(ap);
}

/* --- accesses and facts ------------------------------------------------------ */

static bool has_siblings(const struct diff *d, const struct access *a)
{
	u32 i;

	for (i = 0; i < d->naccesses; i++)
		if (d->access[i].kin == a->kin && d->access[i].k != a->k)
			return true;
	return false;
}

/* Another object has a field of this name, too. */
static bool is_ambiguous(const struct diff *d, const struct access *a)
{
	u32 i;

	for (i = 0; i < d->naccesses; i++)
		if (d->access[i].word != a->word &&
		    !strcmp(d->access[i].what, a->what) &&
		    strcmp(d->access[i].object, a->object))
			return true;
	return false;
}

static const char *ordinal(u32 k)
{
	return k % 100 / 10 == 1 ? "th" : k % 10 == 1 ? "st" :
	       k % 10 == 2 ? "nd" : k % 10 == 3 ? "rd" : "th";
}

void access_text(const struct diff *d, const struct access *a, bool word,
		 char *text)
{
	append(text, "%s's ", a->who);
	if (has_siblings(d, a))
		append(text, "%u%s ", a->k, ordinal(a->k));
	append(text, "%s%s", a->kind == DIFF_WAITS ? "wait in " : "", a->verb);
	if (!word || !a->what[0])
		return;
	if (is_ambiguous(d, a) && strcmp(a->what, a->object))
		append(text, " %s.%s", a->object, a->what);
	else
		append(text, " %s", a->what);
}

void fact_text(const struct diff *d, const struct fact *f, char *text)
{
	const struct access *x = &d->access[f->x], *y = &d->access[f->y];

	switch (f->kind) {
	case FACT_ORDER:
		access_text(d, x, true, text);
		append(text, " before ");
		access_text(d, y, x->word != y->word, text);
		break;
	case FACT_CAME:
		append(text, "with ");
		access_text(d, x, true, text);
		break;
	case FACT_MISSING:
		append(text, "without ");
		access_text(d, x, true, text);
		break;
	}
}

u32 fact_moment(const struct side *s, const struct run_kept *r,
		const struct fact *f)
{
	const u16 *row = run_accesses(s, r);
	u32 i;

	if (f->kind != FACT_ORDER)
		return UINT32_MAX - 1 + (f->kind == FACT_MISSING);
	for (i = 0; i < r->naccesses && row[i] != f->y; i++)
		;
	return i;
}

/* --- verdicts ---------------------------------------------------------------- */

void signatures_text(const struct diff *d, u64 set, char *text)
{
	u32 i, n = 0;

	for (i = 0; i < d->findings.n && i < 64; i++)
		if (set >> i & 1)
			append(text, "%s%s", n++ ? ", " : "",
			       d->findings.at[i].signature);
}

void verdicts_text(const struct diff *d, u64 set, char *text)
{
	u64 told[4] = { 0 };
	u32 i, n = 0;

	for (i = 0; i < d->findings.n && i < 64; i++) {
		u8 kind = d->findings.at[i].kind;

		if (!(set >> i & 1) || told[kind / 64] >> kind % 64 & 1)
			continue;
		told[kind / 64] |= 1ull << kind % 64;
		append(text, "%s%s", n++ ? ", " : "", hd_verdict_name(kind));
	}
}

u64 verdicts_beside(const struct diff *d, u64 set, u64 other)
{
	u32 i, k;

	for (i = 0; i < d->findings.n && i < 64; i++)
		for (k = 0; k < d->findings.n && k < 64; k++)
			if (other >> k & 1 && d->findings.at[k].kind ==
					      d->findings.at[i].kind)
				set &= ~(1ull << i);
	return set;
}
