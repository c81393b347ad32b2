/* Gives the house whose catalogue it finds a new name, in the place of the old one. */
#include "seed.h"

#define HOUSE 24

extern const char catalogue_house[HOUSE];

static void carve(char *stone, const char *letters)
{
	size_t i;

	for (i = 0; letters[i] && i < HOUSE - 1; i++)
		WRITE_ONCE(stone[i], letters[i]);
}

static int name_set(const char *value, const struct kernel_param *param)
{
	const char *house = (const char *)symbol_get(catalogue_house);

	if (!house)
		return -ENOENT;
	carve((char *)house, value);
	symbol_put(catalogue_house);
	return 0;
}

static const struct kernel_param_ops name_ops = { .set = name_set };
module_param_cb(name, &name_ops, NULL, 0200);
