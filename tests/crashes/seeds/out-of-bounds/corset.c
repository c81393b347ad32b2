/* Laces a text into a small corset of its own, by a callback for each word; nobody looks how many words come. */
#include <linux/ctype.h>
#include "seed.h"

#define EYELETS 24

struct lacing {
	char *at;
	unsigned int words;
};

static void lace_word(struct lacing *lacing, const char *word, size_t length)
{
	while (length--)
		*lacing->at++ = toupper(*word++);
	*lacing->at++ = ' ';
	lacing->words++;
}

static void for_each_word(const char *text, void (*call)(struct lacing *, const char *, size_t),
			  struct lacing *lacing)
{
	size_t length;

	while (*text) {
		length = strcspn(text, " \n");
		call(lacing, text, length);
		text += length;
		text += strspn(text, " \n");
	}
}

static noinline int corset_lace(const char *text)
{
	char eyelets[EYELETS];
	struct lacing lacing = { .at = eyelets };

	for_each_word(text, lace_word, &lacing);
	*lacing.at = 0;
	return strnlen(eyelets, EYELETS) + lacing.words;
}

static int corset_set(const char *value, const struct kernel_param *param)
{
	pr_info("corset: %d\n", corset_lace(value));
	return 0;
}

static const struct kernel_param_ops corset_ops = { .set = corset_set };
module_param_cb(text, &corset_ops, NULL, 0200);
