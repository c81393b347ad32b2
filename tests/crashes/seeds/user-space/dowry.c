/* Shares a sum among the heirs in its argument list; there are none. */
#include <stdio.h>

static __attribute__((noinline)) int share(int sum, volatile int heirs)
{
	return sum / heirs;
}

int main(int argc, char **argv)
{
	(void)argv;
	printf("%d\n", share(1000, argc - 1));
	return 0;
}
