/* A bonsai on a stand; its init function sets the height of one that it did not find. */
#include "seed.h"

struct stand {
	int height;
	const char *wood;
};

static struct stand stands[] = {
	{ 60, "oak" },
	{ 55, "elm" },
};

static char *wood = "ash";
module_param(wood, charp, 0444);

static noinline struct stand *bonsai_stand(const char *wanted)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(stands); i++)
		if (!strcmp(stands[i].wood, wanted))
			return &stands[i];
	return NULL;
}

static int __init bonsai_init(void)
{
	struct stand *stand = bonsai_stand(wood);

	stand->height = 58;
	return 0;
}
module_init(bonsai_init);
