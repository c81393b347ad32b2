// SPDX-License-Identifier: MIT
/*
 * till: adds up the bill of a cafe that does not exist.
 *
 * It is given what was ordered, or takes the set menu where it is given
 * nothing, and prints each price and the sum.
 */
#include <stdio.h>
#include <string.h>

struct dish {
	const char *name;
	int cents;
};

static const struct dish card[] = {
	{ "tea", 240 },
	{ "coffee", 290 },
	{ "cake", 380 },
	{ "toast", 210 },
};

static const char *const set_menu[] = { "toast", "soup", "tea" };

static const struct dish *find(const char *name)
{
	for (size_t i = 0; i < sizeof(card) / sizeof(*card); i++)
		if (strcmp(card[i].name, name) == 0)
			return &card[i];
	return NULL;
}

static int charge(const char *name)
{
	const struct dish *dish = find(name);

	printf("%-10s %6.2f\n", name, dish->cents / 100.0);
	return dish->cents;
}

static int bill(const char *const *names, int count)
{
	int sum = 0;

	for (int i = 0; i < count; i++)
		sum += charge(names[i]);
	return sum;
}

int main(int argc, char **argv)
{
	int sum;

	if (argc > 1)
		sum = bill((const char *const *)argv + 1, argc - 1);
	else
		sum = bill(set_menu, sizeof(set_menu) / sizeof(*set_menu));
	printf("%-10s %6.2f\n", "sum", sum / 100.0);
	return 0;
}
