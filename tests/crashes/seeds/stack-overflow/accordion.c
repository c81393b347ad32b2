/* An accordion tuned on loading: bellows, reeds, keys and straps, each with a sheet of its own. */
#include "seed.h"

#define SHEET 5000

static noinline int accordion_reeds(int pitch)
{
	volatile char sheet[SHEET];

	sheet[pitch] = pitch;
	return sheet[pitch] + pitch;
}

static noinline int accordion_keys(int pitch)
{
	volatile char sheet[SHEET];

	sheet[pitch] = accordion_reeds(pitch + 1);
	return sheet[pitch] + pitch;
}

static noinline int accordion_straps(int pitch)
{
	volatile char sheet[SHEET];

	sheet[pitch] = accordion_keys(pitch + 1);
	return sheet[pitch] + pitch;
}

static noinline int accordion_bellows(int pitch)
{
	volatile char sheet[SHEET];

	sheet[pitch] = accordion_straps(pitch + 1);
	return sheet[pitch] + pitch;
}

static int __init accordion_init(void)
{
	pr_info("accordion: %d\n", accordion_bellows(1));
	return 0;
}
module_init(accordion_init);
