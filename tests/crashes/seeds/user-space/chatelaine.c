/* The first process of a house; it opens a door for which it has no key. */
#include <stdio.h>

struct key {
	int teeth;
};

static __attribute__((noinline)) int turn(const volatile struct key *key)
{
	return key->teeth;
}

int main(void)
{
	struct key *volatile none = NULL;

	printf("%d\n", turn(none));
	for (;;)
		;
}
