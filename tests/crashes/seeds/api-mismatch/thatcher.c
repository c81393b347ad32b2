/* A thatcher who lays straw by work; his function wants the roof, as work did in old kernels. */
#include "seed.h"

struct house {
	unsigned long straw;
};

struct roof {
	struct house *house;
	unsigned int pitch;
	struct work_struct work;
};

static struct house house;
static struct roof roof = { .house = &house, .pitch = 45 };

static void thatcher_lay(void *data)
{
	struct roof *roof = data;

	roof->house->straw += 12;
}

static int __init thatcher_init(void)
{
	void *lay = thatcher_lay;

	INIT_WORK(&roof.work, (work_func_t)lay);
	schedule_work(&roof.work);
	return 0;
}
module_init(thatcher_init);
